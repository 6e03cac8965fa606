"""Asks a running server everything that the Python tritonclient can ask over gRPC, and compares the answers with one another.

    python3 tests/clients/tritonclient_grpc_check.py HOST:PORT MODEL PHOTO

PHOTO is a PNG or JPEG. Needs tritonclient[grpc] and numpy; ends with "ok", or with the assertion that failed.
"""
import queue

import numpy as np
import tritonclient.grpc as triton
from tritonclient_shared import refused, run


def encoded(photos):
    """The input as picture files, as image_client.py sends them."""
    tensor = triton.InferInput("image", [len(photos)], "BYTES")
    tensor.set_data_from_numpy(np.array(photos, dtype=np.object_))
    return [tensor]


def pixels(array, datatype="UINT8"):
    tensor = triton.InferInput("image", list(array.shape), datatype)
    tensor.set_data_from_numpy(array)
    return [tensor]


def check_server(client, model, _):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(model) and client.is_model_ready(model, "1")
    assert not client.is_model_ready("nobody") and not client.is_model_ready(model, "2")
    assert client.get_server_metadata().name
    metadata = client.get_model_metadata(model)
    assert metadata == client.get_model_metadata(model, "1")
    assert [tensor.datatype for tensor in metadata.inputs] == ["BYTES"]
    assert [tensor.name for tensor in metadata.outputs] == ["labels", "confidence"]
    config = client.get_model_config(model, as_json=True)["config"]
    assert config["name"] == model and [tensor["name"] for tensor in config["output"]] == ["labels", "confidence"]
    refused("StatusCode.NOT_FOUND", "nobody", client.get_model_metadata, "nobody")
    refused("StatusCode.NOT_FOUND", "nobody", client.get_model_config, "nobody")
    refused("StatusCode.PERMISSION_DENIED", "switched off", client.get_model_repository_index)
    refused("StatusCode.PERMISSION_DENIED", "switched off", client.load_model, model)
    refused("StatusCode.PERMISSION_DENIED", "switched off", client.unload_model, model)


def check_infer(client, model, photo):
    first = client.infer(model, encoded([photo]), request_id="42", priority=1, timeout=30_000_000)
    assert first.get_response().id == "42" and first.get_response().model_name == model
    labels, confidence = first.as_numpy("labels"), first.as_numpy("confidence")
    assert labels.shape == confidence.shape and labels.shape[0] == 1 and confidence.dtype == np.float32
    assert 0 < confidence.min() and confidence.max() <= 1.0001
    answer = client.infer(model, encoded([photo]), model_version="1", outputs=[triton.InferRequestedOutput("labels")])
    assert np.array_equal(answer.as_numpy("labels"), labels) and answer.as_numpy("confidence") is None
    batch = client.infer(model, encoded([photo, photo])).as_numpy("labels")
    assert batch.shape[0] == 2 and np.array_equal(batch[0], batch[1])

    answers = queue.Queue()
    for _ in range(8):
        client.async_infer(model, encoded([photo]), lambda result, error: answers.put((result, error)))
    for _ in range(8):
        result, error = answers.get(timeout=60)
        assert error is None and np.array_equal(result.as_numpy("labels"), labels), error

    client.start_stream(lambda result, error: answers.put((result, error)))
    for number in range(4):
        client.async_stream_infer(model, encoded([photo if number != 2 else b"no picture"]), request_id=str(number))
    for number in range(4):
        result, error = answers.get(timeout=60)
        if number == 2:
            assert result is None and "JPEG" in error.message(), error
        else:
            assert result.get_response().id == str(number) and np.array_equal(result.as_numpy("labels"), labels)
    client.stop_stream()


def check_pixels(client, model, _):
    array = np.random.default_rng(7).integers(0, 256, (2, 40, 48, 3), dtype=np.uint8)
    labels = client.infer(model, pixels(array)).as_numpy("labels")
    assert labels.shape == (2, 40, 48)
    for datatype, kind in (("UINT8", np.uint8), ("INT32", np.int32), ("FP32", np.float32), ("FP16", np.float16)):
        same = client.infer(model, pixels(array.astype(kind), datatype)).as_numpy("labels")
        assert np.array_equal(same, labels), datatype
    refused("StatusCode.INVALID_ARGUMENT", "not normalised", client.infer, model, pixels((array / 255).astype(np.float32), "FP32"))


def check_refusals(client, model, photo):
    refused("StatusCode.INVALID_ARGUMENT", "JPEG", client.infer, model, encoded([b"no picture"]))
    refused("StatusCode.NOT_FOUND", "nobody", client.infer, "nobody", encoded([photo]))
    refused("StatusCode.NOT_FOUND", "version", client.infer, model, encoded([photo]), model_version="7")
    refused("StatusCode.INVALID_ARGUMENT", "no output", client.infer, model, encoded([photo]), outputs=[triton.InferRequestedOutput("mask")])
    refused("StatusCode.DEADLINE_EXCEEDED", "", client.infer, model, encoded([photo]), client_timeout=0.000001)


def check_statistics(client, model, _):
    (one,) = client.get_inference_statistics(model).model_stats
    (every,) = client.get_inference_statistics().model_stats
    assert one.name == every.name == model
    assert one.inference_stats.success.count > 0 and one.inference_stats.compute_infer.ns > 0
    assert one.inference_count >= one.execution_count > 0


if __name__ == "__main__":
    run(triton.InferenceServerClient,
        [check_server, check_infer, check_pixels, check_refusals, check_statistics])
