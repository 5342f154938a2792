"""A faithful Darwin on this machine: V7's registration endpoints, rules and failures, with a page to look at.

darwin = EmulatedDarwin.with_defaults()
with serve(darwin) as server:
    print(server.url)
"""

from .api import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin
from .context import Hooks
from .faults import Fault
from .limits import Limits
from .records import ADD_DATA, ALL_PERMISSIONS, MANAGE_DATA, VIEW_DATA, Blocked, Item, Served, Slot
from .server import Server, serve
from .wire import Reply, Request

__all__ = [
    "ADD_DATA",
    "ALL_PERMISSIONS",
    "DEFAULT_KEY",
    "DEFAULT_TEAM",
    "MANAGE_DATA",
    "VIEW_DATA",
    "Blocked",
    "EmulatedDarwin",
    "Fault",
    "Hooks",
    "Item",
    "Limits",
    "Reply",
    "Request",
    "Served",
    "Server",
    "Slot",
    "serve",
]
