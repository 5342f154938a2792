"""A decoder that prints, and writes nonsense to its parent."""


def draw(files, put, arguments):
    print("hello")
    files[0].raw._line._out.write(b"x" * 100)
    files[0].raw._line._out.flush()
    return {}
