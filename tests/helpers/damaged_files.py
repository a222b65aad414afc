"""Damage data files, or make them hostile."""

import io
import pickle
import zipfile

import h5py
import numpy as np

from mmf_cmsbert.datasets.readers.canonical import canonical_videos

# The video that is damaged.
VIDEO = canonical_videos("mosi", "train")[0]


class Runs:
    """An object that is pickled as a call of ``function``."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def bad_state(state):
    """Return a pickle of NumPy's type f4 with the state ``state``."""
    return b"cnumpy\ndtype\n(X\x02\x00\x00\x00f4\x89\x88tR" + pickle.dumps(state, 0)[:-1] + b"b."


def npz(*arrays, method=zipfile.ZIP_DEFLATED, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for i, array in enumerate(arrays):
            archive.writestr(f"arr_{i}.npy", npy(array))
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


FRAMES = np.ones((2, 3))
OBJECTS = np.array([[Runs(print, "executed")]])
HUGE = npy(FRAMES).replace(b"(2, 3)", b"(2**40,3)").replace(b"2**40", b"99999")


def edit(path, change):
    with h5py.File(path, "r+") as file:
        (name,) = file
        change(file[f"{name}/data"], file)


def replaced(group, name, data, **options):
    del group[name]
    return group.create_dataset(name, data=data, **options)


def features(data, **options):
    return lambda group, _: replaced(group[VIDEO], "features", data, **options)


def intervals(data):
    return lambda group, _: replaced(group[VIDEO], "intervals", data)


def soft_link(group, _):
    del group[VIDEO]
    group[VIDEO] = h5py.SoftLink("/elsewhere")


def external_link(group, _):
    del group[VIDEO]["features"]
    group[VIDEO]["features"] = h5py.ExternalLink("/etc/passwd", "/")


def external_data(group, _):
    del group[VIDEO]["features"]
    elsewhere = [("/etc/passwd", 0, 80)]
    group[VIDEO].create_dataset("features", (10, 1), "f8", external=elsewhere)


def virtual(group, file):
    layout = h5py.VirtualLayout(shape=(10, 1), dtype="f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", shape=(10, 1))
    del group[VIDEO]["features"]
    group[VIDEO].create_virtual_dataset("features", layout)


def huge(group, _):
    del group[VIDEO]["features"]
    group[VIDEO].create_dataset("features", (2**40, 2**20), "f8", chunks=(8, 8))


def packed(group, _):
    # Chunks that were never written are zeros and take no space.
    replaced(group[VIDEO], "features", np.zeros((8, 8)), compression="gzip", maxshape=(None, None))
    group[VIDEO]["features"].resize((2**24, 8))


def large_chunks(group, _):
    del group[VIDEO]["features"]
    group[VIDEO].create_dataset("features", (8, 8), "f8", chunks=(2**20, 64), maxshape=(None, None))


def references(group, file):
    data = np.array([[file.ref]], dtype=h5py.ref_dtype)
    replaced(group[VIDEO], "features", data, dtype=h5py.ref_dtype)


def group_for_array(group, _):
    del group[VIDEO]["features"]
    group[VIDEO].create_group("features")


def array_for_group(group, _):
    del group[VIDEO]
    group.create_dataset(VIDEO, data=[1.0])
