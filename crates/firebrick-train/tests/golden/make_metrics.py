#!/usr/bin/env python3
"""Make metrics.json: accuracy, top-k accuracy and F1 as scikit-learn computes them, for 20 small random cases.

usage: make_metrics.py        (needs numpy, scikit-learn)

A case has the labels of some images, and the scores (logits) that a network gave each class of each image.

    accuracy     accuracy_score of the largest score
    top_k        top_k_accuracy_score for every k from 1 to one below the number of classes
    f1           f1_score of each class, 0 where a class has neither images nor predictions
    f1_macro     f1_score(average="macro", labels=all classes, zero_division=0): the mean of `f1`
    f1_present   f1_score(average="macro") with scikit-learn's own labels: without the classes that have neither
                 images nor predictions
    precision_macro, recall_macro   as f1_macro
    confusion    [label][prediction], counts

No two scores of an image are equal. Some cases have classes without images, or without predictions.
"""
import json, pathlib

import numpy as np
import sklearn
from sklearn.metrics import (accuracy_score, confusion_matrix, f1_score, precision_score, recall_score,
                             top_k_accuracy_score)

HERE = pathlib.Path(__file__).resolve().parent


def draw(rng, number):
    num_classes = int(rng.integers(3, 8))
    num_images = int(rng.integers(2, 25)) if number else 1
    present = np.arange(num_classes)
    if number % 3 == 0:
        present = rng.permutation(num_classes)[: int(rng.integers(1, num_classes))]
    labels = rng.choice(present, num_images)
    scores = rng.normal(size=(num_images, num_classes))
    scores[np.arange(num_images), labels] += rng.uniform(0, 2)
    # These are exact in f32 and short in JSON.
    return labels, np.round(scores * 256) / 256


def case(rng, number):
    labels, scores = draw(rng, number)
    while any(len(set(row)) < len(row) for row in scores.tolist()):
        labels, scores = draw(rng, number)
    num_classes = scores.shape[1]
    predicted, classes = scores.argmax(1), np.arange(num_classes)
    top_k = [float(top_k_accuracy_score(labels, scores, k=k, labels=classes)) for k in range(1, num_classes)]
    macro = {"labels": classes, "average": "macro", "zero_division": 0}
    return {
        "num_classes": num_classes,
        "labels": labels.tolist(),
        "scores": scores.tolist(),
        "accuracy": float(accuracy_score(labels, predicted)),
        "top_k": top_k,
        "f1": f1_score(labels, predicted, labels=classes, average=None, zero_division=0).tolist(),
        "f1_macro": float(f1_score(labels, predicted, **macro)),
        "f1_present": float(f1_score(labels, predicted, average="macro", zero_division=0)),
        "precision_macro": float(precision_score(labels, predicted, **macro)),
        "recall_macro": float(recall_score(labels, predicted, **macro)),
        "confusion": confusion_matrix(labels, predicted, labels=classes).tolist(),
    }


def main():
    rng = np.random.default_rng(17)
    cases = [case(rng, number) for number in range(20)]
    document = {"made_with": f"scikit-learn {sklearn.__version__}", "cases": cases}
    (HERE / "metrics.json").write_text(json.dumps(document) + "\n")
    lacking = sum(abs(each["f1_macro"] - each["f1_present"]) > 1e-9 for each in cases)
    print(len(cases), "cases,", lacking, "of them with a class that has neither images nor predictions")


if __name__ == "__main__":
    main()
