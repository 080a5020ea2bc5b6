"""Opening the files of a set: NPZ, Parquet and CSV, with one clear line when one is broken."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import DatasetError


def open_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an NPZ file.

    Raises:
        DatasetError: missing, broken off, or holding pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if isinstance(arrays, np.ndarray):
                raise DatasetError(f"{path}: a single array, not an NPZ file of named arrays; save it with numpy.savez")
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise DatasetError(f"{path}: broken off or damaged, not a whole NPZ file; copy or fetch it again") from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None


def open_parquet(path: Path) -> Any:
    """A Parquet file as a pandas DataFrame.

    Raises:
        DatasetError: missing or broken off.
    """
    import pandas as pd

    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are among these
        reason = str(error).splitlines()[0]
        raise DatasetError(f"{path}: broken off or not Parquet ({reason}); copy or fetch it again") from None
