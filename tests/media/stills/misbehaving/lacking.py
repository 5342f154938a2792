"""A decoder whose library is not there."""

import no_such_library  # noqa: F401 - the point of it


def draw(_files, _put, _arguments):
    return {}
