"""The fusion methods that ship with hsfusion-bench.

`METHODS` maps each name to a lazy ``module:attribute`` target. The modules named here import no torch, so that
methods are listed quickly; a method imports its network when it builds it.
"""

METHODS = {
    "bicubic": "hsfusion_baselines.bicubic:Bicubic",
    "edacanet": "hsfusion_baselines.edacanet.method:EDACANetMethod",
    "feinfn": "hsfusion_baselines.feinfn.method:FeINFNMethod",
    "feinfn:bicubic": "hsfusion_baselines.feinfn.ablations:Bicubic",
    "feinfn:bilinear": "hsfusion_baselines.feinfn.ablations:Bilinear",
    "feinfn:gelu": "hsfusion_baselines.feinfn.ablations:GELU",
    "feinfn:leaky-relu": "hsfusion_baselines.feinfn.ablations:LeakyReLU",
    "feinfn:no-frequency": "hsfusion_baselines.feinfn.ablations:NoFrequency",
    "feinfn:no-spatial": "hsfusion_baselines.feinfn.ablations:NoSpatial",
    "feinfn:relu": "hsfusion_baselines.feinfn.ablations:ReLU",
    "jiif": "hsfusion_baselines.jiif.method:JIIFMethod",
    "liif": "hsfusion_baselines.liif.method:LIIFMethod",
    "mossfuse": "hsfusion_baselines.mossfuse.method:MossFuseMethod",
}
