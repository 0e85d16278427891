"""How fast a backlog goes out at Resend's slowest rate, beside what one call an email could do at best.

`python -m bench.backlog [LEADS]`: opt-ins come in while no worker runs; then two workers start.
"""

import sys
import time
from urllib.request import urlopen

from sandbox.stack import Stack, running_stack, start_funnel

RATE = 2.0
SHARE = 0.8
SLOWEST_DAY_S = 3600
WAIT_S = 120.0


def main(leads: int) -> int:
    """Print the figures; 1 where an email is missing, came twice or the rate was exceeded."""
    with running_stack(SLOWEST_DAY_S, RESEND_RATE_LIMIT=str(RATE), RESEND_RATE_SHARE=str(SHARE)) as stack:
        stack.control({"resend.rate_per_second": int(RATE)})
        start_funnel(stack)
        stack.processes.kill("worker")
        for n in range(leads):
            stack.post("/webhook/christmas/signup", {"email": f"delivered+{n}@resend.dev", "first_name": "Ana"})
        began = time.monotonic()
        stack.processes.start("worker")
        took = _until_received(stack, leads, began)
        return _report(stack, leads, took)


def _until_received(stack: Stack, leads: int, began: float) -> float:
    while len(stack.received()) < leads and time.monotonic() - began < WAIT_S:
        time.sleep(0.2)
    return time.monotonic() - began


def _report(stack: Stack, leads: int, took: float) -> int:
    received = [email["to"][0] for email in stack.received()]
    calls = _calls(stack)
    one_by_one = leads / (RATE * SHARE)
    print(f"{len(received)} of {leads} emails, {len(received) - len(set(received))} twice, {calls}")
    print(f"all received after {took:.1f} s; one call an email takes {one_by_one:.1f} s: {one_by_one / took:.1f} times")
    return 0 if sorted(received) == sorted(set(received)) and len(received) == leads else 1


def _calls(stack: Stack) -> str:
    with urlopen(f"{stack.sandbox_url}/control/calls", timeout=10) as response:
        return str(response.read().decode().strip())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
