"""The cards of the methods that ship: what lists and tables say of them, without an import of the methods.

A method takes its own from here: ``card = CARDS["gsa"]``. A method that does not ship has its card in its class.
"""

from __future__ import annotations

from dataclasses import replace

from hsfusion_bench.methods import Card

_SSFCNN = (
    "@inproceedings{han2018ssfcnn, title={{SSF-CNN}: Spatial and Spectral Fusion with {CNN} for Hyperspectral Image "
    "Super-Resolution}, author={Han, Xian-Hua and Shi, Boxin and Zheng, Yinqiang}, booktitle={IEEE International "
    "Conference on Image Processing}, pages={2506--2510}, year={2018}}"
)
_GUIDEDNET = (
    "@article{ran2023guidednet, title={{GuidedNet}: A General {CNN} Fusion Framework via High-Resolution "
    "Guidance for Hyperspectral Image Super-Resolution}, author={Ran, Ran and Deng, Liang-Jian and Jiang, "
    "Tai-Xiang and Hu, Jin-Fan and Chanussot, Jocelyn and Vivone, Gemine}, journal={IEEE Transactions "
    "on Cybernetics}, volume={53}, number={7}, pages={4148--4161}, year={2023}}"
)
_TFNET = (
    "@article{liu2020tfnet, title={Remote sensing image fusion based on two-stream fusion network}, "
    "author={Liu, Xiangyu and Liu, Qingjie and Wang, Yunhong}, journal={Information Fusion}, "
    "volume={55}, pages={1--15}, year={2020}}"
)
_SSRNET = (
    "@article{zhang2021ssrnet, title={{SSR-NET}: Spatial-Spectral Reconstruction Network for Hyperspectral and "
    "Multispectral Image Fusion}, author={Zhang, Xueting and Huang, Wei and Wang, Qi and Li, Xuelong}, "
    "journal={IEEE Transactions on Geoscience and Remote Sensing}, volume={59}, number={7}, pages={5953--5965}, "
    "year={2021}}"
)

_FEINFN = Card(
    name="feinfn",
    title="FeINFN",
    family="inr",
    year=2024,
    reference=(
        "@inproceedings{liang2024feinfn, title={Fourier-enhanced Implicit Neural Fusion Network for Multispectral "
        "and Hyperspectral Image Fusion}, author={Liang, Yu-Jie and Cao, Zihan and Deng, Shangqi and Dou, "
        "Hong-Xia and Deng, Liang-Jian}, "
        "booktitle={Advances in Neural Information Processing Systems}, year={2024}}"
    ),
)

_ALL = (
    Card(
        name="bicubic",
        title="Bicubic",
        family="classical",
        year=1981,
        reference=(
            "@article{keys1981cubic, title={Cubic convolution interpolation for digital image processing}, "
            "author={Keys, Robert G.}, journal={IEEE Transactions on Acoustics, Speech, and Signal Processing}, "
            "volume={29}, number={6}, pages={1153--1160}, year={1981}}"
        ),
    ),
    Card(
        name="brovey",
        title="Brovey",
        family="classical",
        year=1987,
        uses=frozenset({"psf"}),
        reference=(
            "@article{gillespie1987color, title={Color enhancement of highly correlated images. {II}. Channel ratio "
            "and ``chromaticity'' transformation techniques}, author={Gillespie, Alan R. and Kahle, Anne B. and "
            "Walker, Richard E.}, journal={Remote Sensing of Environment}, volume={22}, number={3}, pages={343--365}, "
            "year={1987}}"
        ),
    ),
    Card(
        name="gsa",
        title="GSA",
        family="classical",
        year=2007,
        uses=frozenset({"psf"}),
        reference=(
            "@article{aiazzi2007improving, title={Improving component substitution pansharpening through multivariate "
            "regression of {MS}+{Pan} data}, author={Aiazzi, Bruno and Baronti, Stefano and Selva, Massimo}, "
            "journal={IEEE Transactions on Geoscience and Remote Sensing}, volume={45}, number={10}, "
            "pages={3230--3239}, year={2007}}"
        ),
    ),
    Card(
        name="sfim",
        title="SFIM",
        family="classical",
        year=2000,
        uses=frozenset({"psf"}),
        reference=(
            "@article{liu2000smoothing, title={Smoothing filter-based intensity modulation: A spectral preserve image "
            "fusion technique for improving spatial details}, author={Liu, J. G.}, journal={International Journal of "
            "Remote Sensing}, volume={21}, number={18}, pages={3461--3472}, year={2000}}"
        ),
    ),
    Card(
        name="mtf-glp-hs",
        title="MTF-GLP-HS",
        family="classical",
        year=2015,
        uses=frozenset({"psf"}),
        reference=(
            "@article{selva2015hyper, title={Hyper-sharpening: A first approach on {SIM-GA} data}, author={Selva, "
            "Massimo and Aiazzi, Bruno and Butera, Francesco and Chiarantini, Leandro and Baronti, Stefano}, "
            "journal={IEEE Journal of Selected Topics in Applied Earth Observations and Remote Sensing}, volume={8}, "
            "number={6}, pages={3008--3024}, year={2015}}"
        ),
    ),
    Card(
        name="cnmf",
        title="CNMF",
        family="classical",
        year=2012,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{yokoya2012coupled, title={Coupled nonnegative matrix factorization unmixing for hyperspectral "
            "and multispectral data fusion}, author={Yokoya, Naoto and Yairi, Takehisa and Iwasaki, Akira}, "
            "journal={IEEE Transactions on Geoscience and Remote Sensing}, volume={50}, number={2}, "
            "pages={528--537}, year={2012}}"
        ),
    ),
    Card(
        name="fuse",
        title="FUSE",
        family="classical",
        year=2015,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{wei2015fast, title={Fast fusion of multi-band images based on solving a {Sylvester} equation}, "
            "author={Wei, Qi and Dobigeon, Nicolas and Tourneret, Jean-Yves}, journal={IEEE Transactions on Image "
            "Processing}, volume={24}, number={11}, pages={4109--4121}, year={2015}}"
        ),
    ),
    Card(
        name="hysure",
        title="HySure",
        family="classical",
        year=2015,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{simoes2015convex, title={A convex formulation for hyperspectral image superresolution via "
            "subspace-based regularization}, author={Sim{\\~o}es, Miguel and Bioucas-Dias, Jos{\\'e} and Almeida, "
            "Luis B. and Chanussot, Jocelyn}, journal={IEEE Transactions on Geoscience and Remote Sensing}, "
            "volume={53}, number={6}, pages={3373--3388}, year={2015}}"
        ),
    ),
    Card(
        name="nssr",
        title="NSSR",
        family="classical",
        year=2016,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{dong2016hyperspectral, title={Hyperspectral image super-resolution via non-negative structured "
            "sparse representation}, author={Dong, Weisheng and Fu, Fazuo and Shi, Guangming and Cao, Xun and Wu, "
            "Jinjian and Li, Guangyu and Li, Xin}, journal={IEEE Transactions on Image Processing}, volume={25}, "
            "number={5}, pages={2337--2352}, year={2016}}"
        ),
    ),
    Card(
        name="cstf",
        title="CSTF",
        family="classical",
        year=2018,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{li2018fusing, title={Fusing hyperspectral and multispectral images via coupled sparse tensor "
            "factorization}, author={Li, Shutao and Dian, Renwei and Fang, Leyuan and Bioucas-Dias, Jos{\\'e} M.}, "
            "journal={IEEE Transactions on Image Processing}, volume={27}, number={8}, pages={4118--4130}, year={2018}}"
        ),
    ),
    Card(
        name="ltmr",
        title="LTMR",
        family="classical",
        year=2019,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{dian2019hyperspectral, title={Hyperspectral image super-resolution via subspace-based low tensor "
            "multi-rank regularization}, author={Dian, Renwei and Li, Shutao}, journal={IEEE Transactions on Image "
            "Processing}, volume={28}, number={10}, pages={5135--5146}, year={2019}}"
        ),
    ),
    Card(
        name="lttr",
        title="LTTR",
        family="classical",
        year=2019,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{dian2019learning, title={Learning a low tensor-train rank representation for hyperspectral image "
            "super-resolution}, author={Dian, Renwei and Li, Shutao and Fang, Leyuan}, journal={IEEE Transactions on "
            "Neural Networks and Learning Systems}, volume={30}, number={9}, pages={2672--2683}, year={2019}}"
        ),
    ),
    Card(
        name="ir-tensr",
        title="IR-TenSR",
        family="classical",
        year=2022,
        uses=frozenset({"psf", "srf"}),
        reference=(
            "@article{xu2022iterative, title={An iterative regularization method based on tensor subspace "
            "representation for hyperspectral image super-resolution}, author={Xu, Ting and Huang, Ting-Zhu and Deng, "
            "Liang-Jian and Yokoya, Naoto}, journal={IEEE Transactions on Geoscience and Remote Sensing}, volume={60}, "
            "pages={1--16}, year={2022}}"
        ),
    ),
    Card(name="conssfcnn", title="ConSSFCNN", family="cnn", year=2018, reference=_SSFCNN),
    Card(name="conssfcnn:paper", title="ConSSFCNN (paper's form)", family="cnn", year=2018, reference=_SSFCNN),
    Card(
        name="dcfnet",
        title="DCFNet",
        family="cnn",
        year=2021,
        reference=(
            "@inproceedings{wu2021dcfnet, title={Dynamic Cross Feature Fusion for Remote Sensing Pansharpening}, "
            "author={Wu, Xiao and Huang, Ting-Zhu and Deng, Liang-Jian and Zhang, Tian-Jing}, booktitle={IEEE/CVF "
            "International Conference on Computer Vision}, year={2021}}"
        ),
    ),
    Card(
        name="dhif",
        title="DHIF",
        family="cnn",
        year=2022,
        reference=(
            "@article{huang2022dhif, title={Deep Hyperspectral Image Fusion Network With Iterative Spatio-Spectral "
            "Regularization}, author={Huang, Tao and Dong, Weisheng and Wu, Jinjian and Li, Leida and Li, Xin and Shi, "
            "Guangming}, journal={IEEE Transactions on Computational Imaging}, volume={8}, pages={201--214}, "
            "year={2022}}"
        ),
    ),
    Card(
        name="dspnet",
        title="DSPNet",
        family="cnn",
        year=2023,
        reference=(
            "@article{sun2023dspnet, title={Dual Spatial-Spectral Pyramid Network With Transformer for Hyperspectral "
            "Image Fusion}, author={Sun, Yucheng and Xu, Han and Ma, Yong and Wu, Minghui and Mei, Xiaoguang and "
            "Huang, Jun and Ma, Jiayi}, journal={IEEE Transactions on Geoscience and Remote "
            "Sensing}, volume={61}, year={2023}}"
        ),
    ),
    Card(
        name="guidednet",
        title="GuidedNet",
        family="cnn",
        year=2023,
        reference=_GUIDEDNET,
    ),
    Card(name="guidednet:shared", title="GuidedNet (paper's form)", family="cnn", year=2023, reference=_GUIDEDNET),
    Card(
        name="hsrnet",
        title="HSRNet",
        family="cnn",
        year=2022,
        reference=(
            "@article{hu2022hsrnet, title={Hyperspectral Image Super-Resolution via Deep Spatiospectral Attention "
            "Convolutional Neural Networks}, author={Hu, Jin-Fan and Huang, Ting-Zhu and Deng, Liang-Jian and Jiang, "
            "Tai-Xiang and Vivone, Gemine and Chanussot, Jocelyn}, journal={IEEE Transactions on Neural Networks and "
            "Learning Systems}, volume={33}, number={12}, pages={7251--7265}, year={2022}}"
        ),
    ),
    Card(
        name="mog-dcn",
        title="MoG-DCN",
        family="cnn",
        year=2021,
        reference=(
            "@article{dong2021mogdcn, title={Model-Guided Deep Hyperspectral Image Super-Resolution}, author={Dong, "
            "Weisheng and Zhou, Chen and Wu, Fangfang and Wu, Jinjian and Shi, Guangming and Li, Xin}, journal={IEEE "
            "Transactions on Image Processing}, volume={30}, pages={5754--5768}, year={2021}}"
        ),
    ),
    Card(
        name="msdcnn",
        title="MSDCNN",
        family="cnn",
        year=2018,
        reference=(
            "@article{yuan2018msdcnn, title={A Multiscale and Multidepth Convolutional Neural Network for Remote "
            "Sensing Imagery Pan-Sharpening}, author={Yuan, Qiangqiang and Wei, Yancong and Meng, Xiangchao and Shen, "
            "Huanfeng and Zhang, Liangpei}, journal={IEEE Journal of Selected Topics in Applied Earth Observations and "
            "Remote Sensing}, volume={11}, number={3}, pages={978--989}, year={2018}}"
        ),
    ),
    Card(name="restfnet", title="ResTFNet", family="cnn", year=2020, reference=_TFNET),
    Card(name="ssfcnn", title="SSFCNN", family="cnn", year=2018, reference=_SSFCNN),
    Card(name="ssrnet", title="SSRNet", family="cnn", year=2021, reference=_SSRNET),
    Card(name="ssrnet:overwrite", title="SSRNet (authors' form)", family="cnn", year=2021, reference=_SSRNET),
    Card(name="tfnet", title="TFNet", family="cnn", year=2020, reference=_TFNET),
    Card(
        name="3dt-net",
        title="3DT-Net",
        family="transformer",
        year=2023,
        reference=(
            "@article{ma2023threedtnet, title={Learning a {3D-CNN} and Transformer prior for hyperspectral image "
            "super-resolution}, author={Ma, Qing and Jiang, Junjun and Liu, Xianming and Ma, Jiayi}, "
            "journal={Information Fusion}, volume={100}, pages={101907}, year={2023}}"
        ),
    ),
    Card(
        name="bdt",
        title="BDT",
        family="transformer",
        year=2023,
        reference=(
            "@inproceedings{deng2023bdt, title={Bidirectional Dilation Transformer for Multispectral and Hyperspectral "
            "Image Fusion}, author={Deng, Shangqi and Deng, Liang-Jian and Wu, Xiao and Ran, Ran and Wen, Rui}, "
            "booktitle={Proceedings of the Thirty-Second International Joint Conference on Artificial Intelligence}, "
            "year={2023}}"
        ),
    ),
    Card(
        name="fusformer",
        title="Fusformer",
        family="transformer",
        year=2022,
        reference=(
            "@article{hu2022fusformer, title={Fusformer: A Transformer-Based Fusion Network for Hyperspectral Image "
            "Super-Resolution}, author={Hu, Jin-Fan and Huang, Ting-Zhu and Deng, Liang-Jian and Dou, Hong-Xia and "
            "Hong, Danfeng and Vivone, Gemine}, journal={IEEE Geoscience and Remote Sensing Letters}, volume={19}, "
            "year={2022}, doi={10.1109/LGRS.2022.3194257}}"
        ),
    ),
    Card(
        name="lformer",
        title="LFormer",
        family="transformer",
        year=2024,
        reference=(
            "@inproceedings{hou2024lformer, title={Linearly-evolved Transformer for Pan-sharpening}, author={Hou, "
            "Junming and Cao, Zihan and Zheng, Naishan and Li, Xuan and Chen, Xiaoyu and Liu, Xinyang and Cong, "
            "Xiaofeng and Zhou, Man and Hong, Danfeng}, booktitle={Proceedings of the 32nd ACM International "
            "Conference on Multimedia}, year={2024}}"
        ),
    ),
    Card(
        name="mimo-sst",
        title="MIMO-SST",
        family="transformer",
        year=2024,
        reference=(
            "@article{fang2024mimosst, title={{MIMO-SST}: Multi-Input Multi-Output Spatial-Spectral Transformer for "
            "Hyperspectral and Multispectral Image Fusion}, author={Fang, Jian and Yang, Jingxiang and Khader, "
            "Abdolraheem and Xiao, Liang}, journal={IEEE Transactions on Geoscience and Remote Sensing}, volume={62}, "
            "pages={1--16}, year={2024}, doi={10.1109/TGRS.2024.3361553}}"
        ),
    ),
    Card(
        name="psrt",
        title="PSRT",
        family="transformer",
        year=2023,
        reference=(
            "@article{deng2023psrt, title={{PSRT}: Pyramid Shuffle-and-Reshuffle Transformer for Multispectral and "
            "Hyperspectral Image Fusion}, author={Deng, Shang-Qi and Deng, Liang-Jian and Wu, Xiao and Ran, Ran and "
            "Hong, Danfeng and Vivone, Gemine}, journal={IEEE Transactions on Geoscience and Remote Sensing}, "
            "volume={61}, year={2023}, doi={10.1109/TGRS.2023.3244750}}"
        ),
    ),
    Card(
        name="u2net",
        title="U2Net",
        family="transformer",
        year=2023,
        reference=(
            "@inproceedings{peng2023u2net, title={{U2Net}: A General Framework with Spatial-Spectral-Integrated "
            "Double {U-Net} for Image Fusion}, author={Peng, Siran and Guo, Chenhao and Wu, Xiao and Deng, "
            "Liang-Jian}, booktitle={Proceedings of the 31st ACM International Conference on Multimedia}, year={2023}}"
        ),
    ),
    Card(
        name="edacanet",
        title="EDACA-Net",
        family="inr",
        year=2025,
        reference=(
            "@misc{edacanet, title={Entropy-Driven Adaptive Clustering Attention for Continuous Hyperspectral Image "
            "Super-Resolution}, howpublished={https://github.com/vg219/EDACA-Net}, year={2025}}"
        ),
    ),
    _FEINFN,
    replace(_FEINFN, name="feinfn:bicubic", title="FeINFN, bicubic"),
    replace(_FEINFN, name="feinfn:bilinear", title="FeINFN, bilinear"),
    replace(_FEINFN, name="feinfn:gelu", title="FeINFN, GELU"),
    replace(_FEINFN, name="feinfn:leaky-relu", title="FeINFN, leaky ReLU"),
    replace(_FEINFN, name="feinfn:no-frequency", title="FeINFN, no frequency branch"),
    replace(_FEINFN, name="feinfn:no-spatial", title="FeINFN, no spatial branch"),
    replace(_FEINFN, name="feinfn:relu", title="FeINFN, ReLU"),
    Card(
        name="jiif",
        title="JIIF",
        family="inr",
        year=2021,
        reference=(
            "@inproceedings{tang2021jiif, title={Joint Implicit Image Function for Guided Depth Super-Resolution}, "
            "author={Tang, Jiaxiang and Chen, Xiaokang and Zeng, Gang}, "
            "booktitle={ACM International Conference on Multimedia}, year={2021}}"
        ),
    ),
    Card(
        name="liif",
        title="LIIF",
        family="inr",
        year=2021,
        reference=(
            "@inproceedings{chen2021liif, title={Learning Continuous Image Representation with Local Implicit Image "
            "Function}, author={Chen, Yinbo and Liu, Sifei and Wang, Xiaolong}, "
            "booktitle={IEEE/CVF Conference on Computer Vision and Pattern Recognition}, year={2021}}"
        ),
    ),
    Card(
        name="mossfuse",
        title="MossFuse",
        family="unsupervised",
        year=2024,
        reference=(
            "@article{du2024mossfuse, title={Unsupervised Hyperspectral and Multispectral Image Fusion via "
            "Self-Supervised Modality Decoupling}, author={Du, Songcheng and others}, "
            "journal={arXiv preprint arXiv:2412.04802}, year={2024}}"
        ),
    ),
)

CARDS = {card.name: card for card in _ALL}
