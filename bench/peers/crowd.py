"""Crowd-Kit's side of the bench crowd: FILE ROUNDS OUT. Writes posteriors as float64, items and classes by name."""

import json
import resource
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene

warnings.simplefilter("ignore")
file, rounds, out = sys.argv[1:4]
data = pd.read_csv(file, header=None, names=["task", "worker", "label"], dtype=str)
cpu, began = time.process_time(), time.perf_counter()
probas = DawidSkene(n_iter=int(rounds), tol=-1).fit_predict_proba(data)
seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
ordered = probas.sort_index().reindex(sorted(probas.columns), axis=1).to_numpy(dtype=np.float64)
np.ascontiguousarray(ordered).tofile(out)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "cpuSeconds": cpu_seconds, "peakMemoryBytes": peak, "version": f"crowd-kit {version('crowd-kit')}"}))
