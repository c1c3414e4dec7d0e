"""Connections of a small server for a few phones, which is meant to be hard to misuse: uvicorn's, within bounds.

uvicorn and h11 read requests. Added here: a request must come within some seconds and be read by all in the same way
(RFC 9112), an answer must be taken, and nobody takes all places.
"""

import asyncio
import collections
import contextlib
import dataclasses
import re
import time

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 20  # seconds: until a request begins, and for a piece of an answer; a phone that fell asleep is let go then
PATIENCE_WITH_REQUEST = 5  # seconds from a request's first byte to its last, which come in one packet mostly
GRACE = 1  # second that a request may take to begin before another connection of the client may need the place
MOST_CONNECTIONS = 128  # a browser opens six
MOST_HEAD = 2**15  # bytes of a request that is not complete
_PARTING = 2  # seconds for an answer to arrive at a client that is still sending

# Ends of lines other than CR LF, folded lines and NUL mean one thing to one reader and another to the next, such as a
# proxy on the way here. No request has content here, so that all that comes is lines.
_AMBIGUOUS = re.compile(rb"[^\r]\n|\r[^\n]|\n[ \t]|\0")

_BUSY = b"""\
HTTP/1.1 503 Busy\r
Content-Type: text/plain; charset=utf-8\r
Connection: close\r
\r
503: too many connections at once; try again in a moment.
"""


class Loop(uvicorn.Server):
    """uvicorn's server; when it is to end it waits for nobody."""

    async def shutdown(self, sockets=None):
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # they are lost now
        await super().shutdown(sockets)


class Connection(H11Protocol):
    """A connection, which is let go if nothing comes of it for a while.

    Args:
        places: `Places`.
        say: called with a request that h11 does not understand.
    """

    def __init__(self, *arguments, places, say, **named):
        super().__init__(*arguments, **named)
        self._places, self._say = places, say
        self._last, self._timer, self._reads = b"\n", None, False

    def connection_made(self, transport):
        super().connection_made(_Parting(transport, self.loop))
        if self._places.take(self, self.client[0]):
            self._let_go_after(PATIENCE)
        else:
            transport.write(_BUSY)
            transport.close()

    def _let_go_after(self, seconds):
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def data_received(self, data):
        if self.transport.is_closing():  # it has had its last answer
            return
        seen, self._last = self._last + data, data[-1:]
        if _AMBIGUOUS.search(seen):
            self.send_400_response("")
            return
        if not self._reads and not self._answers():
            self._reads = True
            self._let_go_after(PATIENCE_WITH_REQUEST)
        super().data_received(data)
        if self._reads and self._answers():
            self._goes_on()

    def _answers(self):
        return self.cycle is not None and not self.cycle.response_complete

    def _goes_on(self, waits=False):
        self._reads = False
        self._places.goes_on(self, waits)
        self._let_go_after(PATIENCE)

    def resume_writing(self):
        super().resume_writing()
        if not self._reads:
            self._goes_on(waits=not self._answers())

    def on_response_complete(self):
        self._goes_on(waits=True)
        super().on_response_complete()  # which may find the next request, or a part of it
        if self._answers():
            self._goes_on()
        elif self.conn.trailing_data[0]:
            self._reads = True
            self._let_go_after(PATIENCE_WITH_REQUEST)

    def send_400_response(self, msg):
        if self._answers():  # what comes behind a request; its answer is the last
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        self._say("400 of a request that is not understood")
        super().send_400_response("400: the request is not understood.\n")

    def connection_lost(self, exc):
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()
        self._unset_keepalive_if_required()
        self._places.release(self)


class _Parting:
    """A transport whose `close` lets the last answer arrive: at once, what the client still sends would destroy it."""

    def __init__(self, transport, loop):
        self._transport, self._loop, self._parts = transport, loop, False

    def __getattr__(self, name):
        return getattr(self._transport, name)

    def is_closing(self):
        return self._parts or self._transport.is_closing()

    def close(self):
        if not self.is_closing():
            self._parts = True
            with contextlib.suppress(OSError):  # the client has gone before
                self._transport.write_eof()
            self._transport.resume_reading()  # to know when the client has gone
            self._loop.call_later(_PARTING, self._transport.abort)


@dataclasses.dataclass
class _Place:
    """A connection of a client: whether it waits for a request, and since when it has come no further."""

    client: str
    waits: bool
    since: float


class Places:
    """All connections. When there are as many as there may be, a newcomer gets the place of another one, fairly.

    That is one of the client with the most places, as long as the newcomer's has fewer; else one that has been waiting
    for a request, of the newcomer's client or, if that has no place at all, of any. So whoever opens many connections
    and lets them wait, under one address or under many, keeps nobody out.
    """

    def __init__(self):
        self._places = {}

    def __len__(self):
        return len(self._places)

    def take(self, connection, client):
        """Gives a connection a place; False if there is none for it."""
        now = time.monotonic()
        if len(self._places) >= MOST_CONNECTIONS:
            another = self._dispensable(client, now)
            if another is None:
                return False
            del self._places[another]
            another.transport.abort()
        self._places[connection] = _Place(client, True, now)
        return True

    def _dispensable(self, client, now):
        """The connection that gives its place up to one of this client, or None."""
        counts = collections.Counter(place.client for place in self._places.values())
        most = max(counts.values())
        if counts[client] + 1 < most:
            found = {c: place for c, place in self._places.items() if counts[place.client] == most}
        else:
            found = {
                c: place
                for c, place in self._places.items()
                if place.waits and now - place.since >= GRACE and (place.client == client or not counts[client])
            }
        return min(found, key=lambda c: (not found[c].waits, found[c].since), default=None)

    def goes_on(self, connection, waits=False):
        """Says that a connection has come further: it waits for a request now, or for an answer."""
        if place := self._places.get(connection):
            place.waits, place.since = waits, time.monotonic()

    def release(self, connection):
        """Says that a connection has come to its end."""
        self._places.pop(connection, None)
