"""Asks a running server everything that the Python tritonclient can ask over HTTP, and compares the answers with one another.

    python3 tests/clients/tritonclient_check.py HOST:PORT MODEL PHOTO

PHOTO is a PNG or JPEG. Needs tritonclient[http] and numpy; ends with "ok", or with the assertion that failed.
"""
import base64

import numpy as np
import tritonclient.http as triton
from tritonclient_shared import refused, run


def encoded(photos, binary=True):
    """The input as picture files, as image_client.py sends them."""
    data = photos if binary else [base64.b64encode(photo) for photo in photos]
    tensor = triton.InferInput("image", [len(photos)], "BYTES")
    tensor.set_data_from_numpy(np.array(data, dtype=np.object_), binary_data=binary)
    return [tensor]


def pixels(array, datatype="UINT8", binary=True):
    tensor = triton.InferInput("image", list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return [tensor]


def check_server(client, model, _):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(model) and client.is_model_ready(model, "1")
    assert not client.is_model_ready("nobody") and not client.is_model_ready(model, "2")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(model)
    assert metadata == client.get_model_metadata(model, "1")
    assert [tensor["datatype"] for tensor in metadata["inputs"]] == ["BYTES"]
    assert [tensor["name"] for tensor in metadata["outputs"]] == ["labels", "confidence"]
    config = client.get_model_config(model)
    assert config == client.get_model_config(model, "1") and config["name"] == model
    for told, tensors in ((metadata["inputs"], config["input"]), (metadata["outputs"], config["output"])):
        assert [(tensor["name"], tensor["shape"]) for tensor in told] == [(tensor["name"], tensor["dims"]) for tensor in tensors]
    refused("404", "nobody", client.get_model_metadata, "nobody")
    refused("404", "nobody", client.get_model_config, "nobody")
    refused("403", "switched off", client.get_model_repository_index)
    refused("403", "switched off", client.load_model, model)
    refused("403", "switched off", client.unload_model, model)


def check_infer(client, model, photo):
    first = client.infer(model, encoded([photo]), request_id="42", priority=1, timeout=30_000_000)
    assert first.get_response()["id"] == "42" and first.get_response()["model_name"] == model
    labels, confidence = first.as_numpy("labels"), first.as_numpy("confidence")
    assert labels.shape == confidence.shape and labels.shape[0] == 1 and confidence.dtype == np.float32
    assert 0 < confidence.min() and confidence.max() <= 1.0001

    for binary in (True, False):
        for out_binary in (True, False):
            outputs = [triton.InferRequestedOutput("labels", binary_data=out_binary)]
            answer = client.infer(model, encoded([photo], binary), outputs=outputs)
            assert np.array_equal(answer.as_numpy("labels"), labels) and answer.as_numpy("confidence") is None
    for up in (None, "gzip", "deflate"):
        for down in (None, "gzip", "deflate"):
            answer = client.infer(
                model, encoded([photo]), model_version="1", request_compression_algorithm=up, response_compression_algorithm=down)
            assert np.array_equal(answer.as_numpy("labels"), labels) and np.array_equal(answer.as_numpy("confidence"), confidence)
    batch = client.infer(model, encoded([photo, photo])).as_numpy("labels")
    assert batch.shape[0] == 2 and np.array_equal(batch[0], batch[1])
    pending = [client.async_infer(model, encoded([photo])) for _ in range(8)]
    assert all(np.array_equal(answer.get_result().as_numpy("labels"), labels) for answer in pending)


def check_pixels(client, model, _):
    array = np.random.default_rng(7).integers(0, 256, (2, 40, 48, 3), dtype=np.uint8)
    labels = client.infer(model, pixels(array)).as_numpy("labels")
    assert labels.shape == (2, 40, 48)
    for datatype, kind in (("UINT8", np.uint8), ("INT32", np.int32), ("FP32", np.float32), ("FP16", np.float16)):
        same = client.infer(model, pixels(array.astype(kind), datatype)).as_numpy("labels")
        assert np.array_equal(same, labels), datatype
    assert np.array_equal(client.infer(model, pixels(array, binary=False)).as_numpy("labels"), labels)
    refused("400", "not normalised", client.infer, model, pixels((array / 255).astype(np.float32), "FP32"))


def check_refusals(client, model, photo):
    refused("400", "JPEG", client.infer, model, encoded([b"no picture"]))
    refused("404", "nobody", client.infer, "nobody", encoded([photo]))
    refused("404", "version", client.infer, model, encoded([photo]), model_version="7")
    refused("400", "no output", client.infer, model, encoded([photo]), outputs=[triton.InferRequestedOutput("mask")])
    refused("400", "Sequences", client.infer, model, encoded([photo]), sequence_id=3)
    shared = triton.InferInput("image", [1], "BYTES")
    shared.set_shared_memory("region", 100)
    refused("400", "Shared memory", client.infer, model, [shared])
    refused("400", "classification", client.infer, model, encoded([photo]), outputs=[triton.InferRequestedOutput("labels", class_count=3)])


def check_statistics(client, model, _):
    (one,) = client.get_inference_statistics(model)["model_stats"]
    (every,) = client.get_inference_statistics()["model_stats"]
    assert one["name"] == every["name"] == model
    stages = one["inference_stats"]
    assert stages["success"]["count"] > 0 and stages["compute_infer"]["ns"] > 0
    assert one["inference_count"] >= one["execution_count"] > 0


if __name__ == "__main__":
    run(lambda address: triton.InferenceServerClient(address, concurrency=4),
        [check_server, check_infer, check_pixels, check_refusals, check_statistics])
