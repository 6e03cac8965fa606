"""ONNX Runtime's GPU providers and TensorRT as peers, where this Python has them. Every command prints JSON lines.

  onnx_gpu.py runtimes [cpu]                     what there is of cuda, trt (both ONNX Runtime's) and tensorrt, and its version;
                                                 with cpu also its CPU provider, for a trial
  onnx_gpu.py bench RUNTIME SIZE BATCH MODEL     a file of `atrous export --pixels`: pixels in, labels out, as for the others

The labels are made by the network itself: what makes them is appended to the file, so that no runtime needs another's help.
Computes in fp16: TensorRT by its own choice, ONNX Runtime's CUDA provider where `onnx` is there to convert the file, else tf32.
"""
import importlib.util
import json
import math
import os
import statistics
import sys
import tempfile
import time


def tell(**result):
    print(json.dumps(result), flush=True)


def has(name):
    return importlib.util.find_spec(name) is not None


def runtimes(cpu=""):
    if has("onnxruntime"):
        import onnxruntime
        names = {"CUDAExecutionProvider": "cuda", "TensorrtExecutionProvider": "trt"}
        if cpu:
            names["CPUExecutionProvider"] = "cpu"
        for provider in onnxruntime.get_available_providers():
            if provider in names:
                tell(runtime=names[provider], version=onnxruntime.__version__)
    if has("tensorrt") and has("torch"):
        import tensorrt
        tell(runtime="tensorrt", version=tensorrt.__version__)


def number(value):
    """A varint of Protocol Buffers."""
    octets = b""
    while value > 0x7F:
        octets, value = octets + bytes([value & 0x7F | 0x80]), value >> 7
    return octets + bytes([value])


def field(tag, value):
    """A field of Protocol Buffers: a number, a text or a message."""
    if isinstance(value, int):
        return number(tag << 3) + number(value)
    value = value.encode() if isinstance(value, str) else value
    return number(tag << 3 | 2) + number(len(value)) + value


def node(kind, source, target, **attributes):
    octets = field(1, source) + field(2, target) + field(4, kind)
    for name, value in attributes.items():
        octets += field(5, field(1, name) + field(3, value) + field(20, 2))
    return field(1, octets)


UINT8, INT32 = 2, 6


def with_labels(model, kind=UINT8):
    """The file with labels as one more output; a message that is appended to another is merged into it."""
    shape = 3 * field(1, b"")
    labels = field(1, "labels") + field(2, field(1, field(1, kind) + field(2, shape)))
    return model + field(7, node("ArgMax", "output", "wide", axis=1, keepdims=0) + node("Cast", "wide", "labels", to=kind)
                         + field(12, labels))


def halved(model):
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    return convert_float_to_float16(onnx.load_from_string(model), keep_io_types=True).SerializeToString()


def timed(run, seconds=2.0, least=20):
    times, until = [], time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < until:
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def onnx_runtime(name, model, pixels):
    import onnxruntime
    model = with_labels(model)
    cache = os.environ.get("ATROUS_HOME", tempfile.gettempdir())
    providers = {
        "cuda": [("CUDAExecutionProvider", {"cudnn_conv_algo_search": "EXHAUSTIVE"})],
        "trt": [("TensorrtExecutionProvider", {"trt_fp16_enable": True, "trt_engine_cache_enable": True,
                                               "trt_engine_cache_path": os.path.join(cache, "trt")}),
                "CUDAExecutionProvider"],
        "cpu": ["CPUExecutionProvider"],
    }[name]
    session, precision = None, {"cuda": "tf32", "trt": "fp16", "cpu": "fp32"}[name]
    if name == "cuda":
        try:
            session, precision = onnxruntime.InferenceSession(halved(model), providers=providers), "fp16"
        except Exception as failure:  # whatever the converter trips over, or makes wrong: it is measured as it is
            print(f"not converted to fp16: {failure}", file=sys.stderr)
    session = session or onnxruntime.InferenceSession(model, providers=providers)
    if name != "cpu" and session.get_providers()[0] != providers[0][0]:
        sys.exit(f"{providers[0][0]} cannot be used here; {session.get_providers()[0]} would be taken")
    given = {session.get_inputs()[0].name: pixels}
    return (lambda: session.run(["labels"], given)[0]), f"ONNX Runtime {onnxruntime.__version__} {name}", precision


def tensor_rt(model, pixels):
    import tensorrt
    import torch
    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    builder = tensorrt.Builder(logger)
    flags = 1 << int(tensorrt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH) if int(tensorrt.__version__.split(".")[0]) < 10 else 0
    network = builder.create_network(flags)
    parser = tensorrt.OnnxParser(network, logger)
    # It makes integers bytes only by way of floats; they become bytes behind it.
    if not parser.parse(with_labels(model, INT32)):
        sys.exit("; ".join(str(parser.get_error(i)) for i in range(parser.num_errors)))
    for output in [network.get_output(i) for i in range(network.num_outputs)]:
        if output.name != "labels":
            network.unmark_output(output)
    config = builder.create_builder_config()
    precision = "fp16" if hasattr(tensorrt.BuilderFlag, "FP16") else "tf32"
    if precision == "fp16":
        config.set_flag(tensorrt.BuilderFlag.FP16)
    engine = tensorrt.Runtime(logger).deserialize_cuda_engine(builder.build_serialized_network(network, config))
    context, stream = engine.create_execution_context(), torch.cuda.Stream()
    host = torch.from_numpy(pixels).pin_memory()
    given = host.cuda()
    made = torch.empty(tuple(engine.get_tensor_shape("labels")), dtype=torch.int32, device="cuda")
    labels = torch.empty(made.shape, dtype=torch.uint8).pin_memory()
    context.set_tensor_address(engine.get_tensor_name(0), given.data_ptr())
    context.set_tensor_address("labels", made.data_ptr())

    def run():
        with torch.cuda.stream(stream):
            given.copy_(host, non_blocking=True)
            context.execute_async_v3(stream.cuda_stream)
            labels.copy_(made.to(torch.uint8), non_blocking=True)
        stream.synchronize()
        return labels.numpy()

    return run, f"TensorRT {tensorrt.__version__}", precision


def bench(runtime, size, batch, path):
    import numpy
    height, width = (int(side) for side in size.split("x"))
    pixels = numpy.random.default_rng(1).integers(0, 256, (int(batch), height, width, 3), dtype=numpy.uint8)
    with open(path, "rb") as file:
        model = file.read()
    start = time.perf_counter()
    run, peer, precision = tensor_rt(model, pixels) if runtime == "tensorrt" else onnx_runtime(runtime, model, pixels)
    labels = run()
    if labels.shape != (int(batch), height, width) or labels.dtype != numpy.uint8:
        sys.exit(f"labels are {labels.shape} of {labels.dtype}")
    for _ in range(4):
        run()
    warm_up = time.perf_counter() - start
    ordered = sorted(timed(run))
    p95, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.95, 0.99))
    median = statistics.median(ordered)
    tell(peer=peer, model=os.path.basename(path).split(".")[0], precision=precision, size=size, batch=int(batch),
         milliseconds={"latency": {"median": median, "min": ordered[0], "p95": p95, "p99": p99, "runs": len(ordered)}},
         warmUpSeconds=warm_up, picturesPerSecond=1e3 * int(batch) / median, peakDeviceBytes=None)


COMMANDS = {"runtimes": runtimes, "bench": bench}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
