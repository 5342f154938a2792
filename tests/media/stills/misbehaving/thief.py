"""A decoder that names a file of its own choice."""


def draw(files, put, arguments):
    put("../../evil.sh", b"rm")
    return {}
