"""End a process when its parent ends, for whatever reason."""


def end_with_parent(patience: float) -> None:
    """End this process group when standard input, a pipe from the parent, is closed.

    The parent's end of the pipe is closed when the parent ends, by any signal. The function is
    self-contained, because a child runs its source before the slow imports.

    Args:
        patience: seconds between SIGTERM, after which a run saves its state, and SIGKILL.
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
