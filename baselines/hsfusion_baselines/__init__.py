"""The fusion methods that ship with hsfusion-bench.

`METHODS` maps each name to a lazy ``module:attribute`` target. The modules named here import no torch, so that
methods are listed quickly; a method imports its network when it builds it.
"""

METHODS = {
    "bicubic": "hsfusion_baselines.bicubic:Bicubic",
    "brovey": "hsfusion_baselines.classical.brovey:Brovey",
    "gsa": "hsfusion_baselines.classical.gsa:GSA",
    "sfim": "hsfusion_baselines.classical.sfim:SFIM",
    "mtf-glp-hs": "hsfusion_baselines.classical.mtf_glp_hs:MTFGLPHS",
    "cnmf": "hsfusion_baselines.classical.cnmf:CNMF",
    "fuse": "hsfusion_baselines.classical.fuse:FUSE",
    "hysure": "hsfusion_baselines.classical.hysure:HySure",
    "nssr": "hsfusion_baselines.classical.nssr:NSSR",
    "cstf": "hsfusion_baselines.classical.cstf:CSTF",
    "ltmr": "hsfusion_baselines.classical.ltmr:LTMR",
    "lttr": "hsfusion_baselines.classical.lttr:LTTR",
    "ir-tensr": "hsfusion_baselines.classical.ir_tensr:IRTenSR",
    "feinfn": "hsfusion_baselines.feinfn.method:FeINFNMethod",
    "mossfuse": "hsfusion_baselines.mossfuse.method:MossFuseMethod",
}
