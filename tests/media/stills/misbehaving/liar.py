"""A decoder that claims a verdict of its own."""


def draw(files, put, arguments):
    files[0].raw._line.tell({"verdict": "service_unavailable", "message": "x", "context": {}})
    return files[0].raw._line.hear()
