"""The functions that are marked are the task types of this plugin."""
import distributo

__version__ = "0.1.0"


@distributo.task
def count(text: str, least: int = 1) -> dict[str, int]:
    """How often each word occurs in a text"""
    if least < 1:
        raise distributo.Permanent("payload.least: expected at least 1")
    words = {}
    for word in text.lower().split():
        words[word] = words.get(word, 0) + 1
    return {word: times for word, times in words.items() if times >= least}


@distributo.task(timeout="10m")
def count_lines(path: str, *, task: distributo.Task) -> int:
    """The lines of a file on the host that runs the task"""
    lines = 0
    try:
        with open(path, "rb") as file:
            for line in file:
                lines += 1
                if lines % 1_000_000 == 0:
                    task.progress(None, f"{lines} lines")
    except FileNotFoundError as error:
        raise distributo.Retry(f"{path} is not on this host", elsewhere=True) from error
    task.log("counted", lines=lines)
    return lines
