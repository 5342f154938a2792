"""A decoder whose library is not there."""

import no_such_library


def draw(files, put, arguments):
    return {}
