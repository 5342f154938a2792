"""A decoder that claims a verdict of its own."""


def draw(files, _put, _arguments):
    files[0].raw._line.tell({"verdict": "service_unavailable", "message": "x", "context": {}})
    return files[0].raw._line.hear()
