"""Every field of report.json, its kind and what it says."""

from __future__ import annotations

from reportgen.report.json_schema import Fields, Shape

FORMAT_VERSION = 1  # counts up with any change that an older reader would misread

SEED = ("whole?", "The training's seed; null for the mean over the finished seeds.")
LOW = ("number?", "Lower end of the interval.")
HIGH = ("number?", "Upper end of the interval.")
NOTE = ("text", "What is to be known of the value, or why there is none.")
VARIANT = ("text", "Name of the network.")
INTERVAL = ("text?", "Kind of the interval; null where there is none.")
BY_NAME = ("named", "Every number of the sentence, by name.")

HEAD: Fields = {
    "format_version": ("whole", "Version of this format."),
    "reportgen": ("text", "Version of reportgen that wrote this."),
    "title": ("text", "Title of the lab."),
    "course": ("text", "Course of the lab."),
    "institution": ("text", "Who hands it out; empty where the lab does not say."),
    "term": ("text", "When; empty where the lab does not say."),
    "authors": ("texts", "Who wrote the lab."),
    "language": ("text", "What all sentences are in: en, de, es or zh."),
    "notes": ("texts", "What must be known before the numbers are believed."),
    "introduction": ("text", "The lab's own introduction, in Markdown."),
    "speaks_of": ("text", "Whom the report compares: trained networks, or architectures over their seeds."),
}
ONE: dict[str, tuple[str, Fields]] = {
    "run": (
        "When, where and how the networks were trained.",
        {
            "started": ("text", "Start of the run, UTC, ISO 8601."),
            "seconds": ("number", "Seconds that all trainings took."),
            "argv": ("texts", "The command that makes the report again."),
            "fallback": ("text", "Why another data set than the lab's own was taken; empty if none was."),
            "environment": ("named", "Versions and machine."),
        },
    ),
    "dataset": (
        "The data.",
        {
            "name": ("text", "Name of the data set."),
            "title": ("text", "Name for a reader."),
            "description": ("text", "What it is."),
            "source": ("text", "Where it was read from."),
            "sha256": ("text", "SHA-256 of the arrays' content."),
            "image_shape": ("wholes", "Height, width and channels of an image."),
            "n_train": ("whole", "Number of training images."),
            "n_test": ("whole", "Number of test images."),
            "classes": ("texts", "Names of the classes; a label is a place in this list, from 0."),
            "warnings": ("texts", "What a reader should know of the data."),
            "repeats": ("whole?", "Test images that are in the training set too; null if not counted."),
        },
    ),
    "protocol": (
        "How every network was trained.",
        {
            "epochs": ("whole", "Epochs of each training."),
            "batch_size": ("whole", "Images in a batch."),
            "optimizer": ("text", "Name in Keras."),
            "learning_rate": ("number?", "Learning rate; null for the optimizer's own."),
            "loss": ("text", "Name in Keras."),
            "metric": ("text", "Name in Keras."),
            "seeds": ("whole", "Trainings of each network."),
            "validation": ("text", "test, or the share of the training set that was held out."),
            "precision": ("text", "What layers compute in."),
        },
    ),
}
MANY: dict[str, tuple[str, Fields]] = {
    "points": (
        "What the lab teaches, in its own words.",
        {
            "title": ("text", "Title."),
            "text": ("text", "Its words, in Markdown."),
            "fact": ("text", "What this run's networks show of it; empty for a point without a drawing."),
        },
    ),
    "section_notes": (
        "The lab's own words in sections.",
        {
            "section": ("text", "Name of the section."),
            "place": ("text", "before or after what the section shows."),
            "text": ("text", "The words, in Markdown."),
        },
    ),
    "images": (
        "The test images of the galleries, before any is left out to fit a size.",
        {
            "variant": ("text?", "Name of the network; null for what all show together."),
            "seed": ("whole?", "Its training that is shown."),
            "panel": (
                "text",
                "first hits, first mistakes, surest mistakes, least sure hits, only this one right, only the "
                "baseline right, all wrong or confused (the pairs of classes that all confuse most).",
            ),
            "place": ("whole", "Place in the panel, from 1."),
            "index": ("whole", "Index in the test set."),
            "label": ("whole", "True class."),
            "predicted": ("whole", "Predicted class; of all together, what most of them say."),
            "confidence": (
                "number",
                "Probability of that prediction; of all wrong the mean, of confused the highest of all.",
            ),
        },
    ),
    "variants": (
        "The networks, in the lab's order.",
        {
            "name": VARIANT,
            "baseline": ("truth", "Whether the others are compared with it."),
            "description": ("text", "The lab's words."),
            "build": ("text?", "The function that builds it; null where the lab states its layers."),
        },
    ),
    "layers": (
        "The layers of each network.",
        {
            "variant": VARIANT,
            "position": ("whole", "Place in the stack, from 1."),
            "layer": ("text", "Name in Keras."),
            "type": ("text", "Class in Keras."),
            "setting": ("text", "Kernel, stride, padding and the like."),
            "output_shape": ("text", "What leaves it, such as 26x26x32; empty where it is not known."),
            "params": ("whole", "Parameters."),
            "trainable": ("whole", "Parameters that are trained."),
            "multiply_adds": ("whole?", "Multiply-adds for an image; null where they are not known."),
        },
    ),
    "trainings": (
        "Every training.",
        {
            "variant": VARIANT,
            "seed": ("whole", "Seed."),
            "status": ("text", "done, failed or diverged."),
            "error": ("text", "Why it was not finished; else empty."),
            "params": ("whole?", "Parameters."),
            "trainable_params": ("whole?", "Parameters that are trained."),
            "train_seconds": ("number?", "Seconds of the training."),
            "test_loss": ("number?", "Loss on the test set, after the last epoch."),
            "test_accuracy": ("number?", "Share of the test images that it classifies correctly."),
        },
    ),
    "epochs": (
        "The learning curves.",
        {
            "variant": VARIANT,
            "seed": ("whole", "Seed."),
            "epoch": ("whole", "Epoch, from 1."),
            "split": ("text", "train or validation."),
            "metric": ("text", "loss, accuracy or seconds."),
            "value": ("number?", "Its value; null where it was no number."),
        },
    ),
    "leaderboard": (
        "The networks, the most accurate first; those without a finished training last.",
        {
            "variant": VARIANT,
            "baseline": ("truth", "Whether the others are compared with it."),
            "group": ("text", "Letters: networks that share one cannot be told apart."),
            "params": ("whole?", "Parameters."),
            "accuracy": ("number?", "Test accuracy, the mean over the finished seeds."),
            "low": ("number?", "Lowest end of the 95 % Wilson intervals of its trainings."),
            "high": ("number?", "Highest end of them."),
            "accuracies": ("numbers", "Test accuracy of each finished seed."),
            "loss": ("number?", "Test loss, mean over the finished seeds."),
            "seconds": ("number?", "Seconds of a training, mean over the finished seeds."),
            "seconds_per_epoch": (
                "number?",
                "Mean seconds of an epoch's training over the finished seeds, without the first of several.",
            ),
            "reasons": ("texts", "Why trainings are missing."),
        },
    ),
    "scores": (
        "Every score of every training, and of every network's mean over its seeds.",
        {
            "variant": VARIANT,
            "seed": SEED,
            "metric": ("text", "accuracy, macro_f1, loss, nll, brier, ece, gap, params and others."),
            "value": ("number?", "Its value."),
            "low": LOW,
            "high": HIGH,
            "interval": INTERVAL,
            "n": ("whole?", "Test images."),
            "note": NOTE,
        },
    ),
    "per_class": (
        "Precision, recall and F1 of each class of each training.",
        {
            "variant": VARIANT,
            "seed": SEED,
            "label": ("whole", "The class."),
            "metric": ("text", "recall, precision or f1."),
            "value": ("number?", "Its value."),
            "low": LOW,
            "high": HIGH,
            "interval": INTERVAL,
            "n": ("whole?", "Images that count."),
            "note": NOTE,
        },
    ),
    "calibration": (
        "Confidence beside accuracy, in bins of confidence; those without an image are left out.",
        {
            "variant": VARIANT,
            "seed": SEED,
            "bin": ("whole", "Bin, from 1."),
            "low": ("number", "Lower end of the accuracy's 95 % Wilson interval."),
            "high": ("number", "Upper end of it."),
            "lower": ("number", "Where the bin begins."),
            "upper": ("number", "Where it ends."),
            "count": ("whole", "Test images in it."),
            "confidence": ("number", "Mean probability of the predicted class."),
            "accuracy": ("number", "Share of them that is classified correctly."),
        },
    ),
    "confusion": (
        "What each training predicts for the test images of each class; counts of 0 are left out.",
        {
            "variant": VARIANT,
            "seed": ("whole", "Seed."),
            "label": ("whole", "The true class."),
            "predicted": ("whole", "The predicted class."),
            "count": ("whole", "Test images."),
        },
    ),
    "probes": (
        "Accuracy on test images that were altered.",
        {
            "variant": VARIANT,
            "seed": ("whole", "Seed."),
            "probe": ("text", "border, shift or permutation."),
            "level": ("text", "What was done to the images."),
            "pixels": ("whole?", "By how many pixels they moved; null where that differs between images."),
            "right": ("whole", "Images that are classified correctly."),
            "n": ("whole", "Images."),
            "accuracy": ("number?", "right / n."),
        },
    ),
    "comparisons": (
        "Differences in test accuracy: b less a.",
        {
            "family": ("text", "baseline (each against it), all pairs, or omnibus (all at once)."),
            "kind": ("text", "trained networks or architectures."),
            "a": ("text", "The one network; empty where all are compared at once."),
            "b": ("text", "The other."),
            "seed_a": ("whole?", "Seed of a, where trained networks are compared."),
            "seed_b": ("whole?", "Seed of b."),
            "difference": ("number?", "Accuracy of b less that of a."),
            "low": LOW,
            "high": HIGH,
            "interval": INTERVAL,
            "error": ("number?", "Standard error of the difference, where architectures are compared."),
            "freedom": ("number?", "Its degrees of freedom."),
            "only_a_right": ("whole?", "Images that only a gets right."),
            "only_b_right": ("whole?", "Images that only b gets right."),
            "n": ("whole?", "Test images."),
            "test": ("text?", "The test; null where none was made."),
            "statistic": ("number?", "Its statistic."),
            "p": ("number?", "Its p."),
            "weight": ("number?", "Weight of p in Holm's adjustment."),
            "p_holm": ("number?", "p, adjusted after Holm over all pairs."),
            "apart": ("truth", "Whether the two can be told apart."),
            "reversed": ("number?", "Share of the pairs of single seeds that stand the other way round."),
            "note": NOTE,
        },
    ),
    "contrasts": (
        "Pairs of networks that differ in one setting: b less a.",
        {
            "knob": ("text", "The setting."),
            "from_value": ("text", "Its value in a."),
            "to_value": ("text", "Its value in b."),
            "layers": ("text", "Places of the layers in which it differs."),
            "fixed": ("text", "What the two share."),
            "a": ("text", "The one network."),
            "b": ("text", "The other."),
            "quantity": ("text", "accuracy, seconds_per_epoch, params, multiply_adds or map_size (pixels)."),
            "value_a": ("number?", "Its value for a."),
            "value_b": ("number?", "Its value for b."),
            "effect": ("number?", "value_b less value_a."),
            "low": LOW,
            "high": HIGH,
            "interval": INTERVAL,
            "apart": ("truth?", "Whether the two can be told apart; null where that is not asked."),
            "n_seeds": ("whole?", "Seeds that count."),
            "note": NOTE,
        },
    ),
    "claims": (
        "What the lab claims, and what this run makes of it.",
        {
            "position": ("whole", "Place in the lab, from 1."),
            "text": ("text", "The claim."),
            "evidence": ("text", "What in the run bears on it."),
            "verdict": ("text", "holds, does not hold or can't tell here."),
            "said": ("text", "Why, with the numbers."),
            "numbers": BY_NAME,
        },
    ),
    "findings": (
        "Every check that was made.",
        {
            "position": ("whole", "Place in the list of checks, from 1."),
            "code": ("text", "Name of the check."),
            "looks_at": ("text", "What it looks at."),
            "level": ("text", "answer, warning, note, nothing found or not applicable."),
            "applies": ("truth", "Whether the check can be made of this run."),
            "lead": ("text", "What it says first."),
            "rest": ("text", "The rest."),
            "numbers": BY_NAME,
        },
    ),
}
REPORT = Shape("All that a report of reportgen states", HEAD, ONE, MANY)
