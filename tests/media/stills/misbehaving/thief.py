"""A decoder that names a file of its own choice."""


def draw(_files, put, _arguments):
    put("../../evil.sh", b"rm")
    return {}
