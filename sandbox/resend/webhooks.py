"""The courier: delivers events to endpoints in the background, and retries until they answer 2xx."""

import heapq
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from zlib import crc32

import requests

from sandbox.resend.outcomes import event_body
from sandbox.signing import signed_headers
from sandbox.state import Email, Endpoint, Event, Sandbox

LANES = 4
RETRY_AFTER_S = (0.2, 1.0, 5.0)
GIVE_UP_AFTER_S = 120.0
ANSWER_WITHIN_S = 10.0


@dataclass(order=True)
class Delivery:
    """One event on its way to one endpoint, due on the monotonic clock."""

    due: float
    number: int
    email: Email = field(compare=False)
    event: Event = field(compare=False)
    endpoint: Endpoint = field(compare=False)
    generation: int = field(compare=False)
    attempts: int = field(default=0, compare=False)
    first_due: float = field(default=0.0, compare=False)

    def retry_at(self, now: float) -> float | None:
        """Return when to try again, None once two minutes have passed."""
        pause = RETRY_AFTER_S[min(self.attempts - 1, len(RETRY_AFTER_S) - 1)]
        return now + pause if now + pause - self.first_due <= GIVE_UP_AFTER_S else None


class Courier:
    """Delivers in several threads; the events of one email stay in one thread, so that they arrive in order."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.changed = threading.Condition()
        self.lanes: list[list[Delivery]] = [[] for _ in range(LANES)]
        self.threads: list[threading.Thread] = []
        self.numbers = count()

    def announce(self, email: Email) -> None:
        """Queue this email's events for all endpoints, each for its time."""
        with self.sandbox.lock:
            hooks = self.sandbox.settings.webhooks
            now, delays = time.monotonic(), self._delays(email)
            events = email.events[::-1] if hooks.reverse else email.events
            first = "email.delivered" if hooks.before_answer and hooks.enabled else None
            deliveries = [
                self._delivery(email, event, endpoint, now + delay)
                for event, delay in zip(events, delays, strict=True)
                for endpoint in self._wanting(event)
                for _ in range(1 + hooks.duplicate)
            ]
        self._queue(delivery for delivery in deliveries if delivery.event.type != first)
        for delivery in deliveries:
            if delivery.event.type == first:
                self._attempt(delivery)

    def nudge(self) -> None:
        """Reread the switches: events may be held or released."""
        with self.changed:
            self.changed.notify_all()

    def stop(self) -> None:
        """End the threads; pending events are dropped."""
        self.sandbox.stopped.set()
        self.nudge()
        for thread in self.threads:
            thread.join()

    def _delays(self, email: Email) -> list[float]:
        return [(event.at - email.received_at).total_seconds() for event in email.events]

    def _wanting(self, event: Event) -> list[Endpoint]:
        endpoints = self.sandbox.all_endpoints()
        return [endpoint for endpoint in endpoints if endpoint.events is None or event.type in endpoint.events]

    def _delivery(self, email: Email, event: Event, endpoint: Endpoint, due: float) -> Delivery:
        return Delivery(due, next(self.numbers), email, event, endpoint, self.sandbox.generation, first_due=due)

    def _queue(self, deliveries: Iterable[Delivery]) -> None:
        with self.changed:
            for delivery in deliveries:
                self._start()
                heapq.heappush(self.lanes[crc32(delivery.email.id.encode()) % LANES], delivery)
            self.changed.notify_all()

    def _start(self) -> None:
        if self.threads:
            return
        self.threads = [threading.Thread(target=self._work, args=(lane,), daemon=True) for lane in self.lanes]
        for thread in self.threads:
            thread.start()

    def _work(self, lane: list[Delivery]) -> None:
        while not self.sandbox.stopped.is_set():
            delivery = self._next(lane)
            if delivery is not None:
                self._attempt(delivery)

    def _next(self, lane: list[Delivery]) -> Delivery | None:
        with self.changed:
            if self.sandbox.stopped.is_set():
                return None
            now, enabled = time.monotonic(), self.sandbox.settings.webhooks.enabled
            if enabled and lane and lane[0].due <= now:
                return heapq.heappop(lane)
            self.changed.wait(lane[0].due - now if enabled and lane else None)
            return None

    def _attempt(self, delivery: Delivery) -> None:
        if delivery.generation != self.sandbox.generation:
            return
        delivery.attempts += 1
        answer, taken = self._post(delivery)
        with self.sandbox.lock:
            delivery.event.told.append(answer)
        retry_at = delivery.retry_at(time.monotonic())
        if not taken and retry_at is not None:
            delivery.due = retry_at
            self._queue([delivery])

    def _post(self, delivery: Delivery) -> tuple[str, bool]:
        body = json.dumps(event_body(delivery.email, delivery.event), separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "Svix-Webhooks/1.0 (sandbox)"}
        moment = int(self.sandbox.now().timestamp())
        headers |= signed_headers(delivery.endpoint.secret, delivery.event.svix_id, moment, body)
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy of the environment must not see local calls
                answer = session.post(
                    delivery.endpoint.url, data=body, headers=headers, timeout=ANSWER_WITHIN_S, allow_redirects=False
                )
        except requests.RequestException as error:
            return type(error).__name__, False
        return str(answer.status_code), answer.ok and answer.status_code < 300
