"""A process that ends with the one that started it, however that ends."""


def end_with_parent(patience: float) -> None:
    """End this process group when standard input, a pipe from the parent, is closed.

    The parent's end of the pipe is closed when it ends, by whatever signal. Imports are inside,
    and nothing of this package is used: a child runs the source of this function before the imports
    that take seconds.

    Args:
        patience: seconds between SIGTERM, at which a run saves what it has, and SIGKILL.
    """
    import os
    import signal
    import threading
    import time

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(patience)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
