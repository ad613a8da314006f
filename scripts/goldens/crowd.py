"""Goldens of agreement and of models of annotators: python crowd.py OUT_FOLDER

Needs crowd-kit, krippendorff and statsmodels (made with 1.4.2, 0.9.0, 0.15.0). Writes agreement.json and crowd.json. Rows are
stored as [item, annotator, class]. Crowd-Kit runs with tight tolerances, for its defaults stop short of where they go; its
Dawid-Skene and GLAD a fixed number of rounds, for what they watch falls now and then and ends them early (takes 15 minutes); its
MACE pairs sorted names with names in order of appearance, so rows are sorted for the two orders to be one.
"""
import json
import sys
import warnings
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
from crowdkit.aggregation import GLAD, MACE, DawidSkene, OneCoinDawidSkene
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

warnings.simplefilter("ignore")


def crowd(seed, classes, items, annotators, share):
    """Skills from 0.35 to 0.95, one spammer that favours class 0; each annotator meets `share` of the items."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, classes, items)
    skills = np.linspace(0.95, 0.35, annotators)
    rows = []
    for a in range(annotators):
        for i in range(items):
            if draw.random() > share:
                continue
            if a == annotators - 1:
                said = 0 if draw.random() < 0.7 else int(draw.integers(0, classes))
            elif draw.random() < skills[a]:
                said = int(truth[i])
            else:
                said = int((truth[i] + draw.integers(1, classes)) % classes)
            rows.append((i, a, said))
    return sorted(rows, key=lambda row: (row[1], row[2], row[0]))


def frame(rows):
    return pd.DataFrame([(f"i{i:04d}", f"a{a:02d}", k) for i, a, k in rows], columns=["task", "worker", "label"])


def posteriors(probas):
    return [[round(float(p), 7) for p in row] for row in probas.sort_index().reindex(sorted(probas.columns), axis=1).values]


def models(rows):
    data = frame(rows)
    out = {"rows": [list(row) for row in rows]}
    out["dawidSkene"] = posteriors(DawidSkene(n_iter=1000, tol=-1).fit_predict_proba(data))
    out["oneCoin"] = posteriors(OneCoinDawidSkene(n_iter=300, tol=-1).fit_predict_proba(data))
    glad = GLAD(n_iter=40, tol=-1e9, m_step_max_iter=60, m_step_tol=1e-4)
    out["glad"] = posteriors(glad.fit_predict_proba(data))
    out["gladAbilities"] = [round(float(x), 5) for x in glad.alphas_.sort_index()]
    out["mace"] = posteriors(MACE(n_iter=1000, n_restarts=1).fit_predict_proba(data))
    return out


def crowd_bt(seed, players, annotators, games):
    """Crowd-BT (Chen et al. 2013) by scipy: maximum a posteriori under normal(0, 1) scores and Beta(4, 2) competences."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=players)
    competence = np.linspace(0.95, 0.3, annotators)
    rows = []
    for _ in range(games):
        i, j = (int(x) for x in draw.choice(players, 2, replace=False))
        k = int(draw.integers(annotators))
        wins = draw.random() < expit(scores[i] - scores[j])
        rows.append((i, j, k, int(wins if draw.random() < competence[k] else not wins)))
    i, j, k, y = (np.array(column) for column in zip(*rows))

    def loss(x):
        p = expit(x[i] - x[j])
        eta = expit(x[players + k])
        said = np.where(y == 1, eta * p + (1 - eta) * (1 - p), eta * (1 - p) + (1 - eta) * p)
        prior = 0.5 * (x[:players] ** 2).sum() - (3 * log_expit(x[players:]) + log_expit(-x[players:])).sum()
        return prior - np.log(said).sum()

    start = np.concatenate([np.zeros(players), np.full(annotators, np.log(2.0))])
    best = minimize(loss, start, method="L-BFGS-B", options={"maxiter": 5000, "maxfun": 10**7, "ftol": 1e-15, "gtol": 1e-9})
    return {
        "rows": [list(row) for row in rows],
        "scores": [round(float(s), 6) for s in best.x[:players]],
        "competences": [round(float(c), 6) for c in expit(best.x[players:])],
        "loss": float(best.fun),
    }


def agreement(seed, categories, items, annotators, missing, skew):
    """Ratings around a common truth; `skew` is the share of category 0."""
    draw = np.random.default_rng(seed)
    rest = (1 - skew) / (categories - 1)
    truth = draw.choice(categories, items, p=[skew] + [rest] * (categories - 1))
    table = np.full((annotators, items), np.nan)
    for a in range(annotators):
        for i in range(items):
            if draw.random() < missing:
                continue
            table[a, i] = truth[i] if draw.random() < 0.7 else draw.integers(categories)
    out = {"rows": [[int(i), int(a), int(table[a, i])] for a in range(annotators) for i in range(items) if not np.isnan(table[a, i])]}
    for scale in ("nominal", "ordinal", "interval"):
        out[scale] = float(krippendorff.alpha(table, level_of_measurement=scale))
    if missing == 0:
        out["fleiss"] = float(fleiss_kappa(aggregate_raters(table.T.astype(int))[0]))
    if annotators == 2:
        both = ~np.isnan(table).any(axis=0)
        square = np.zeros((categories, categories))
        for x, y in table[:, both].T.astype(int):
            square[x, y] += 1
        out["cohen"] = float(cohens_kappa(square, return_results=False))
        out["cohenLinear"] = float(cohens_kappa(square, wt="linear", return_results=False))
        out["cohenQuadratic"] = float(cohens_kappa(square, wt="quadratic", return_results=False))
    return out


folder = Path(sys.argv[1])
(folder / "agreement.json").write_text(
    json.dumps(
        {
            "missing": agreement(1, 5, 120, 4, 0.3, 0.2),
            "whole": agreement(2, 4, 100, 5, 0.0, 0.25),
            "two": agreement(3, 4, 150, 2, 0.0, 0.3),
            "skewed": agreement(4, 3, 150, 2, 0.1, 0.9),
        }
    )
)
(folder / "crowd.json").write_text(
    json.dumps(
        {
            "two": models(crowd(11, 2, 120, 9, 0.6)),
            "four": models(crowd(12, 4, 150, 12, 0.5)),
            "sparse": models(crowd(13, 3, 200, 15, 0.2)),
            "crowdBradleyTerry": crowd_bt(14, 20, 8, 600),
        }
    )
)
