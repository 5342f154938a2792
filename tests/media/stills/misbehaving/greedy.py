"""A decoder that wants two gigabytes."""


def draw(files, put, arguments):
    return {"size": len(bytearray(2 << 30))}
