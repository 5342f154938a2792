"""DICOM files: those that pydicom brings, and some made for a test."""

import io
from pathlib import Path

import gdcm
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from media.stills.samples import DICOM_SAMPLES, Object


def sample(name: str) -> Object:
    return Object((DICOM_SAMPLES / f"{name}.dcm").read_bytes())


def slice_of(pixels: np.ndarray, syntax: UID = ExplicitVRLittleEndian, **header) -> Object:
    """Return a DICOM file with these grey values; a compressed syntax gets a stream that is none."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = "<" if syntax.is_little_endian else ">"
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    if syntax.is_encapsulated:
        dataset.PixelData = encapsulate([b"no such stream"])
        dataset["PixelData"].is_undefined_length = True
    for name, value in header.items():
        setattr(dataset, name, value)
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return Object(out.getvalue())


def compressed(source: Object, syntax: UID, folder: Path) -> Object:
    """Return a DICOM file with its pixels stored another way, as GDCM does it."""
    plain, packed = folder / "plain.dcm", folder / "packed.dcm"
    plain.write_bytes(source.data)
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(packed))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return Object(packed.read_bytes())
