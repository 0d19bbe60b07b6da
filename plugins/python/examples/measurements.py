"""Statistics of measurements with NumPy.

Put this file into the plugin folder of a host that has Debian's python3-numpy:

    cp measurements.py plugins/
    distributo submit measurements:describe '{"values": [1, 2, 3, 4]}' --wait
"""
import dataclasses
import pathlib

import distributo
import numpy as np

__version__ = "1.0.0"


@dataclasses.dataclass
class Summary:
    count: int
    mean: float
    deviation: float
    quantiles: dict[str, float]


@dataclasses.dataclass
class Signal:
    samples: list[float]
    rate: float  #: samples per second
    peaks: int = 3

    def __post_init__(self):
        if self.rate <= 0 or len(self.samples) < 2:
            raise ValueError("expected at least two samples and a rate above 0")


def summarize(values: np.ndarray) -> Summary:
    quantiles = np.quantile(values, [0.05, 0.5, 0.95])
    return Summary(count=values.size, mean=values.mean(), deviation=values.std(),
                   quantiles=dict(zip(("5 %", "50 %", "95 %"), quantiles)))


@distributo.task
def describe(values: list[float]) -> Summary:
    """Count, mean, standard deviation and quantiles of some numbers"""
    if not values:
        raise distributo.Permanent("payload.values: expected at least one number")
    return summarize(np.array(values))


@distributo.task(timeout="10m")
def describe_file(path: pathlib.Path, column: int = 0, *, task: distributo.Task) -> Summary:
    """The same of a column of a CSV file on the host"""
    try:
        values = np.loadtxt(path, delimiter=",", usecols=column, ndmin=1)
    except FileNotFoundError as error:
        raise distributo.Retry(f"{path} is not on this host", elsewhere=True) from error
    task.log(f"read {values.size} values", path=str(path))
    return summarize(values)


@distributo.task
def spectrum(signal: Signal) -> list[float]:
    """The strongest frequencies of a signal, in hertz"""
    samples = np.array(signal.samples)
    power = np.abs(np.fft.rfft(samples - samples.mean()))
    frequencies = np.fft.rfftfreq(samples.size, 1 / signal.rate)
    return frequencies[np.argsort(power)[::-1][:signal.peaks]]
