"""Pairs whose georeferences contradict them, by files that rasterio writes and places on the ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from hsfusion_bench.cli import main
from hsfusion_bench.formats.georeference import read_georeference
from hsfusion_bench.formats.placement import unlike_places

rasterio = pytest.importorskip("rasterio")

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

#: A pixel of 30 m, the same turned by some 27 degrees, and one in degrees.
NORTH_UP = rasterio.Affine(30, 0, 500000, 0, -30, 4000020)
TURNED = rasterio.Affine(24, 12, 500000, 12, -24, 4000020)
DEGREES = rasterio.Affine(0.001, 0, 2.3, 0, -0.001, 48.9)
SHAPE = (32, 48)


def placed(folder: Path, name: str, transform: Any, crs: str = "EPSG:32631", **more: Any) -> Path:
    """Write a small image that lies there; the driver is ENVI for .img."""
    driver = "ENVI" if name.endswith(".img") else "GTiff"
    shape = {"width": 12, "height": 8, "count": 1, "dtype": "uint8"}
    with rasterio.open(folder / name, "w", driver=driver, crs=crs, transform=transform, **shape, **more) as file:
        file.write(np.ones((1, 8, 12), np.uint8))
    return folder / name


def larger(transform: Any, scale: float = 4, rows: float = 0, columns: float = 0) -> Any:
    """Return where an LR-HSI lies whose corner is so many HR pixels off."""
    return transform @ rasterio.Affine.translation(columns, rows) @ rasterio.Affine.scale(scale)


def told(hsi: Path, msi: Path, **more: Any) -> str:
    return unlike_places(read_georeference(hsi), read_georeference(msi), 4, SHAPE, **more)


@pytest.mark.parametrize("names", [("h.tif", "m.tif"), ("h.img", "m.img"), ("h.img", "m.tif")])
@pytest.mark.parametrize("transform", [NORTH_UP, TURNED, DEGREES])
def test_what_lies_as_it_is_taken_is_not_told(tmp_path: Path, names: tuple[str, str], transform: Any) -> None:
    crs = "EPSG:4326" if transform is DEGREES else "EPSG:32631"
    hsi, msi = (
        placed(tmp_path, name, there, crs) for name, there in zip(names, (larger(transform), transform), strict=True)
    )
    assert told(hsi, msi) == ""
    assert "0 rows and 0 columns off" in told(hsi, msi, shift=(0, -8))


@pytest.mark.parametrize("names", [("h.tif", "m.tif"), ("h.img", "m.img")])
@pytest.mark.parametrize(
    ("hsi", "crs", "says"),
    [
        (larger(NORTH_UP, rows=3, columns=-7), "EPSG:32631", "3 rows and -7 columns off the MSI's"),
        (larger(NORTH_UP, columns=500), "EPSG:32631", "they do not overlap"),
        (larger(NORTH_UP), "EPSG:32632", "different map projections or zones"),
        (larger(NORTH_UP, 3), "EPSG:32631", "an HSI pixel is 3 x 3 MSI pixels large there, not 4 x 4"),
        (larger(NORTH_UP) @ rasterio.Affine.scale(1, -1), "EPSG:32631", "turned or mirrored"),
        (larger(NORTH_UP, columns=2), "EPSG:32631", ""),
    ],
)
def test_what_contradicts_the_pair_is_told(
    tmp_path: Path, names: tuple[str, str], hsi: Any, crs: str, says: str
) -> None:
    if "mirrored" in says and names[0] == "h.img":
        pytest.skip("ENVI's map info knows no pixels that go up")
    found = told(placed(tmp_path, names[0], hsi, crs), placed(tmp_path, names[1], NORTH_UP))
    assert says in found
    assert bool(says) == bool(found)


def test_a_shift_that_is_stated_accounts_for_it(tmp_path: Path) -> None:
    hsi = placed(tmp_path, "h.tif", larger(NORTH_UP, rows=3, columns=-7))
    msi = placed(tmp_path, "m.tif", NORTH_UP)
    assert "(--shift 3,-7 accounts for it)" in told(hsi, msi)
    assert told(hsi, msi, shift=(3, -7)) == ""


def test_a_pixel_that_is_a_point_lies_at_its_middle(tmp_path: Path) -> None:
    # GDAL reads the same corners from either convention
    with rasterio.Env(GTIFF_POINT_GEO_IGNORE=False):
        hsi = placed(tmp_path, "h.tif", larger(NORTH_UP, 16), tiled=False)
        with rasterio.open(hsi, "r+") as file:
            file.update_tags(AREA_OR_POINT="Point")
    found = read_georeference(hsi)
    msi = read_georeference(placed(tmp_path, "m.tif", NORTH_UP))
    with rasterio.open(hsi) as file:
        corner = ~NORTH_UP @ (file.transform.c, file.transform.f)
    said = unlike_places(found, msi, 16, (512, 512), (round(corner[1]), round(corner[0])))
    assert said == ""


def test_what_is_unknown_is_not_told(tmp_path: Path) -> None:
    msi = read_georeference(placed(tmp_path, "m.tif", NORTH_UP))
    assert unlike_places(None, msi, 4, SHAPE) == unlike_places(msi, None, 4, SHAPE) == ""


def test_an_image_keeps_its_place_whatever_it_is_called(tmp_path: Path) -> None:
    by_raster = read_georeference(placed(tmp_path, "m.img", NORTH_UP))
    assert by_raster is not None
    assert by_raster == read_georeference(tmp_path / "m.hdr")
    tiff = placed(tmp_path, "x.tif", NORTH_UP)
    assert read_georeference(tiff.rename(tmp_path / "x.dat")) is not None
    with rasterio.open(tmp_path / "m.png", "w", driver="PNG", width=4, height=4, count=1, dtype="uint8") as file:
        file.write(np.ones((1, 4, 4), np.uint8))
    assert read_georeference(tmp_path / "m.png") is None


def test_fuse_warns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, bands, side, transform in (("h", 5, 16, larger(NORTH_UP, columns=500)), ("m", 2, 64, NORTH_UP)):
        shape = {"width": side, "height": side, "count": bands, "dtype": "float32"}
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", crs="EPSG:32631", transform=transform, **shape
        ) as file:
            file.write(rng.random((bands, side, side), np.float32))
    words = ["fuse", "bicubic", *(str(tmp_path / name) for name in ("h.tif", "m.tif", "out.tif"))]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.stderr
    assert "warning: by their georeferences HSI and MSI do not show the same ground: they do not overlap" in (
        " ".join(done.stderr.split())
    )
