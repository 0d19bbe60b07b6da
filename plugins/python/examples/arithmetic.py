import distributo

@distributo.task
def double(n: int) -> int:
    """Twice a number"""
    return 2 * n
