"""A decoder that wants two gigabytes."""


def draw(_files, _put, _arguments):
    return {"size": len(bytearray(2 << 30))}
