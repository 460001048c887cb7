"""Cut the two fonts of the PDF notice out of Noto Sans CJK: Latin, signs and all Hangul syllables, without hinting.

Needs what the project does not: `pip install fonttools` and Debian's package fonts-noto-cjk. Run it when another sign
is wanted; the notice refuses a letter that the fonts do not have, so nothing is left out in silence.
"""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

COLLECTION = Path("/usr/share/fonts/opentype/noto")
FONTS = Path(__file__).resolve().parent.parent / "src" / "upheld" / "policy" / "pages" / "fonts"
KOREAN = 1
"""The place of the Korean face in the collection."""
LETTERS: Iterable[tuple[int, int]] = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x2010, 0x205F),
    (0x20A9, 0x20A9),
    (0x20AC, 0x20AC),
    (0x2116, 0x2116),
    (0x2122, 0x2122),
    (0x2190, 0x2193),
    (0x2200, 0x2200),
    (0x2212, 0x2212),
    (0x2460, 0x2473),
    (0x25A0, 0x25CF),
    (0x2605, 0x2606),
    (0x2713, 0x2713),
    (0x3000, 0x3017),
    (0x3131, 0x318E),
    (0xAC00, 0xD7A3),
    (0xFF08, 0xFF1A),
    (0xFF5E, 0xFF5E),
)
"""First and last letter of each range; what the font does not have of them is left out."""


def main() -> None:
    """Write both weights beside their licence."""
    subset, fonts = import_module("fontTools.subset"), import_module("fontTools.ttLib")
    for weight in ("Regular", "Bold"):
        font = fonts.TTCollection(COLLECTION / f"NotoSansCJK-{weight}.ttc").fonts[KOREAN]
        options = subset.Options(hinting=False, layout_features=["kern", "liga", "locl", "palt"], name_IDs=["*"])
        options.drop_tables += ["BASE", "VORG", "vhea", "vmtx"]
        cut = subset.Subsetter(options)
        cut.populate(unicodes=[letter for first, last in LETTERS for letter in range(first, last + 1)])
        cut.subset(font)
        font.save(FONTS / f"NotoSansKR-{weight}.otf")


if __name__ == "__main__":
    main()
