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
    "conssfcnn": "hsfusion_baselines.ssfcnn.method:ConSSFCNNMethod",
    "conssfcnn:paper": "hsfusion_baselines.ssfcnn.method:ConSSFCNNPaperMethod",
    "dcfnet": "hsfusion_baselines.dcfnet.method:DCFNetMethod",
    "dhif": "hsfusion_baselines.dhif.method:DHIFMethod",
    "dspnet": "hsfusion_baselines.dspnet.method:DSPNetMethod",
    "guidednet": "hsfusion_baselines.guidednet.method:GuidedNetMethod",
    "guidednet:shared": "hsfusion_baselines.guidednet.method:GuidedNetSharedMethod",
    "hsrnet": "hsfusion_baselines.hsrnet.method:HSRNetMethod",
    "mog-dcn": "hsfusion_baselines.mogdcn.method:MoGDCNMethod",
    "msdcnn": "hsfusion_baselines.msdcnn.method:MSDCNNMethod",
    "restfnet": "hsfusion_baselines.tfnet.method:ResTFNetMethod",
    "ssfcnn": "hsfusion_baselines.ssfcnn.method:SSFCNNMethod",
    "ssrnet": "hsfusion_baselines.ssrnet.method:SSRNetMethod",
    "ssrnet:overwrite": "hsfusion_baselines.ssrnet.method:SSRNetOverwriteMethod",
    "tfnet": "hsfusion_baselines.tfnet.method:TFNetMethod",
    "feinfn": "hsfusion_baselines.feinfn.method:FeINFNMethod",
    "mossfuse": "hsfusion_baselines.mossfuse.method:MossFuseMethod",
}
