"""Make the documents' pictures of the console out of `screenshots/`: cut to one screen, few colours, few bytes."""

import sys
from pathlib import Path

from PIL import Image

from sandbox.command_line import command_line

ROOT = Path(__file__).parents[1]
TAKEN = ROOT / "screenshots" / "documented"
PICTURES = ROOT / "docs" / "pictures"
SHOWN = {"today": 1000, "lead": 900, "sequences": 880, "calendar": 900, "figures": 1000}
COLOURS = 96


def main() -> int:
    """Write the pictures; 1 where one was not taken."""
    PICTURES.mkdir(exist_ok=True)
    missing = [name for name in SHOWN if not (TAKEN / f"{name}-1280-light.png").exists()]
    for name in set(SHOWN) - set(missing):
        taken = Image.open(TAKEN / f"{name}-1280-light.png").convert("RGB")
        shown = taken.crop((0, 0, taken.width, min(SHOWN[name], taken.height)))
        shown.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)
    told = f"no screenshot of {', '.join(missing)}" if missing else f"wrote {len(SHOWN)} pictures"
    sys.stderr.write(f"{told}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    command_line(__doc__)
    sys.exit(main())
