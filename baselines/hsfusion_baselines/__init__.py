"""The fusion methods that ship with hsfusion-bench.

`METHODS` maps each name to a lazy ``module:attribute`` target. The modules named here import no torch, so that
methods are listed quickly; a method imports its network when it builds it.
"""

METHODS = {
    "bicubic": "hsfusion_baselines.bicubic:Bicubic",
    "feinfn": "hsfusion_baselines.feinfn.method:FeINFNMethod",
    "3dt-net": "hsfusion_baselines.net_3dt.method:Net3DTMethod",
    "bdt": "hsfusion_baselines.bdt.method:BDTMethod",
    "fusformer": "hsfusion_baselines.fusformer.method:FusformerMethod",
    "lformer": "hsfusion_baselines.lformer.method:LFormerMethod",
    "mimo-sst": "hsfusion_baselines.mimo_sst.method:MIMOSSTMethod",
    "psrt": "hsfusion_baselines.psrt.method:PSRTMethod",
    "u2net": "hsfusion_baselines.u2net.method:U2NetMethod",
    "mossfuse": "hsfusion_baselines.mossfuse.method:MossFuseMethod",
}
