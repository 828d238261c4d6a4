"""Which figures are shown, and what each is called."""

from __future__ import annotations

WHOLE = ", whole process, s"
HEADS = ("auto", "prototype", "gda", "kernel", "logistic", "anchored", "cache")
HEAD_NAMES = {"auto": "**`auto`**", "nearest mean": "nearest class mean"}

ENCODERS = {
    "audit": "CLIP ViT-B/32; `coco_crops`: two MobileNets (for tests), copies and the worst findings: `pocket`",
    "coco": "two MobileNets read into CLIP's space (for tests)",
    "heads": "CLIP ViT-B/32",
    "embed": "random weights, ViT-B/32 if not said",
    "export": "as said",
    "finetune": "ViT-B/32, random weights",
    "memory": "any of 512 dimensions",
    "page": "`pocket`",
    "pocket": "`pocket`",
    "scale": "any of 512 dimensions",
    "speed": "CLIP ViT-B/32",
    "start": "any",
}

FEW = {
    "pocket": {
        "coco crops, auto on the 234 training crops, top-1": (
            "8 kinds of vehicles from 234 photographs: labels that are right, of 503 test photographs"
        ),
        "coco crops, zero-shot, top-1": "the same from their names alone, without a photograph",
        "pictures a second on one core, decoding included": "photographs read a second, on one core",
    },
    "heads": {
        "Caltech-100, 16 shots, auto": "100 kinds of objects from 16 pictures each: labels that are right",
        "Caltech-100, 1 shot, auto": "the same from a single picture each",
        "fit of auto on 234 x 512, with text, s": "learning from 234 embedded pictures, seconds on 2 cores",
    },
    "unknown": {
        "crops, bench unknown, fused, detected at 5 % false alarms": (
            "pictures of a kind that is not known: called unknown, at 5 % false alarms"
        ),
    },
    "memory": {"predict one embedding, ms (p50)": "judging one more embedding, 1,000 classes known, milliseconds"},
}
"""What a newcomer understands without further reading."""

SHOWN = {
    "pocket": {
        "coco crops, zero-shot, top-1": "8 vehicle classes by their names alone, 503 photographs: top-1",
        "coco crops, auto on the 234 training crops, top-1": "the same, 234 photographs to learn from: top-1",
        "clothing, auto on clothing/train, top-1": "10 kinds of clothes, 600 photographs to learn from: top-1",
        "Caltech-101, 16 shots, auto, top-1": "Caltech-101, 16 shots: top-1",
        "Caltech-101, half not chosen on, zero-shot, top-1": "50 of its classes by their names alone: top-1",
        "crops, bench unknown, fused, AUROC": "benches among the 503 vehicles, told as unknown: AUROC",
        "pictures a second on one core, decoding included": "photographs a second on one core, decoding included",
        "first verdict in a new process, processor s": "`inkling predict` of one new photograph: processor seconds",
    },
    "coco": {
        "auto, top-1": "8 vehicle classes, 234 photographs to learn from, 503 to test: top-1",
        "auto, ECE": "the same: calibration error (ECE)",
        "second fit with a warm cache, whole process, s": "the same: `inkling fit` with a warm cache, seconds",
    },
    "heads": {
        "Caltech-100, 16 shots, auto": "Caltech-100, images alone, 16 shots: top-1",
        "Flowers, 16 shots, auto": "Oxford Flowers, images alone, 16 shots: top-1",
        "Pets, 16 shots, auto": "Oxford Pets, images alone, 16 shots: top-1",
        "Caltech-43 with text, 16 shots, auto": "Caltech-43, images and texts, 16 shots: top-1",
        "ImageNet-329 with text, 3 shots, auto": "ImageNet-329, images and texts, 3 shots: top-1",
        "fit of auto on 234 x 512, with text, s": "fit of `auto` on 234 embeddings, seconds",
    },
    "audit": {
        **{
            f"{name}, random wrong labels: average precision": (
                f"{shown}, a tenth of the labels planted wrong at random: average precision of the audit"
            )
            for name, shown in (
                ("Caltech-100", "Caltech-100, 16 shots"),
                ("Flowers", "Oxford Flowers, 16 shots"),
                ("Pets", "Oxford Pets, 16 shots"),
                ("coco_crops", "8 vehicle classes, 234 photographs"),
            )
        },
        "all draws: share in which the expected number of wrong labels is within 25 % of the real one": (
            "wrong labels expected, within 25 % of the real number: share of draws"
        ),
    },
    "embed": {
        "auto, times the peer's speed": (
            "embedding throughput against `transformers`, `auto` (products in bfloat16, sums in float32): times"
        ),
        "int8, times the peer's speed": "the same, `int8`: times",
        **{
            f"{of}: {precision}, times the peer's speed": f"the same, {of}, `{precision}`: times"
            for of in ("SigLIP B/16-224", "DINOv2-base")
            for precision in ("auto", "float32")
        },
    },
    "export": {
        "surrogate, 541 crops: largest difference of probabilities": (
            "exported folder against Inkling, 541 photographs: largest difference of probabilities"
        ),
        "run.py alone: processor seconds to the first verdict": "its program: processor seconds to the first verdict",
        "run.py alone: resident MiB": "the same: MiB of memory",
        "model.onnx on prepared pictures: times Inkling's speed": "its model on one picture: times Inkling's speed",
        "1,000 classes, 100,000 exemplars: seconds to export": "export of 1,000 classes with 100,000 images: seconds",
    },
    "finetune": {
        "an epoch of `original` with evaluation, ViT-B/32, batch 8, times the plain loop's speed": (
            "an epoch of fine-tuning both towers against a plain loop: times"
        ),
        **{
            f"a step of --train image, times the speed of full, {precision}": (
                f"a step of the image tower alone against both, `{precision}`: times"
            )
            for precision in ("float32", "bfloat16")
        },
    },
    "unknown": {
        "crops, bench unknown, fused, AUROC": "benches among the 503 vehicles, told as unknown: AUROC",
        "Caltech-100, half of the classes known, fused, AUROC": "Caltech-100, half of the classes known: AUROC",
        "Flowers, half of the classes known, fused, AUROC": "Oxford Flowers, half of the classes known: AUROC",
    },
    "discovery": {
        "crops with benches: benches found": "benches found as one new class among the vehicles: share",
        "after accept: recall of the new class on benches held out": "half of them accepted: recall on the rest",
        "Caltech-100, half known: purity of proposals": "Caltech-100, half known: purity of proposed classes",
    },
    "scale": {
        "file, 1,000,000 x 512: nearest exemplars of an image, ms (p50)": "nearest of a million exemplars: ms",
        "file, 1,000,000 x 512: recall@10": "the same: share of the ten nearest that are found",
        "pgvector, 1,000,000 x 512: nearest exemplars of an image, ms (p50)": "the same by pgvector: ms",
        "10,000 classes x 10 exemplars, gda: predict beyond encoding, 256 at a time, ms a picture (p50)": (
            "one embedding among 10,000 classes, 256 at a time: ms"
        ),
    },
    "speed": {
        "auto on 1600 x 512, 100 classes: fit, times logistic regression": (
            "fit of `auto` on 1,600 embeddings of 100 classes against scikit-learn's logistic regression: times"
        ),
        "auto: predict 2465 vectors, times logistic regression": "the same: probabilities of 2,465 embeddings",
        "predict one vector, head and detector, ms": "the same: one embedding, unknown or not, 10 images a class, ms",
        "memory of 404 vectors of 512, 100 classes, MB": "memory of 404 embeddings, 100 classes: MB",
        "memory of 234 crops with the surrogate, MB": "memory of the 234 photographs of vehicles: MB",
    },
    "start": {
        "inkling info, times that": "`inkling info`: times the processor time of importing NumPy and SQLAlchemy",
        "warm predict of one image, sketch, times that": "`inkling predict` of one image in the cache: times that",
        "warm predict of one image, surrogate, times that": "the same",
        "predict with 1,000 classes and 100,000 exemplars, processor seconds": (
            "`inkling predict` of one embedding, 1,000 classes with 100,000 images known: processor seconds"
        ),
        "the same, peak resident MB": "the same: peak of memory, MB",
        "cold fit of 234 crops with the surrogate, peak resident MB": (
            "`inkling fit` on the 234 photographs, nothing in the cache: peak of memory, MB"
        ),
        "light installation, site-packages MB": "a light installation: MB",
        "light installation, share of the time of the full one": "the same: its time, as a share of the full one's",
    },
    "page": {
        "from an empty folder to two classes: interactions": (
            "from an empty folder to two classes on the page, filmed, chosen and corrected: presses, names and choices"
        ),
        "from an empty folder to two classes: seconds": "the same, by a script that does not hesitate: seconds",
        "held-out pictures: top-1": "the same, pants and shoes, 80 photographs held out: top-1",
        "outwear and shirt: held-out pictures: top-1": (
            "the same, outwear and shirts, which look alike; the best of three runs, .53 in the others"
        ),
        "camera: verdicts a second": "verdicts on what a camera sees, a second; browser and service on 2 cores",
    },
    "memory": {
        "accept to live, s (worst)": "a class accepted among 1,000 with 100,000 images: seconds until live",
    },
}

TUNED = {
    "zero-shot": "zero-shot",
    "head": "head `auto` on the encoder as it was",
    "last-blocks, plain fine-tuning": "`last-blocks`, all of the tuned weights, texts alone",
    "last-blocks, plain fine-tuning under auto": "the same under `auto`",
    **{
        f"{preset}, share 0.6 under auto": f"`{preset}`, six tenths of the tuned weights under `auto`"
        for preset in ("last-blocks", "two-stage", "lora", "original")
    },
    "last-blocks, shipped": "what the guard shipped",
}
AS_IF_UNKNOWN = "the same, calibrated as if the encoder did not know the images"
TUNED_DETECTORS = {
    ("0.6", "encoder as it was"): "the encoder as it was",
    ("0.6", "tuned, by trainings that left images out"): "`last-blocks`, six tenths of the tuned weights",
    ("0.6", "tuned, by ordinary folds"): AS_IF_UNKNOWN,
    ("1", "tuned, by trainings that left images out"): "`last-blocks`, all of the tuned weights",
    ("1", "tuned, by ordinary folds"): AS_IF_UNKNOWN,
}
