"""SignV4 (src/aws/sigv4.h) beside botocore's signer, on generated requests. ARMADA_SIGV4_SEED repeats a run."""
import datetime
import json
import os
import pathlib
import random
import subprocess
import urllib.parse

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from driver import BINARY

SIGNER = pathlib.Path(BINARY).parent / "sigv4_peer"
REQUESTS = 6000
PLAIN = "abcXYZ019-._~"
ODD = "/=+%&?#:;, *'\"()<>[]{}|\\^`!$@"
UNICODE = "äß漢字🚢\u0301é\x7f"


def text(draw, longest, alphabet):
    return "".join(draw.choice(alphabet) for _ in range(draw.randint(0, longest)))


def quote(part, safe=""):
    return urllib.parse.quote(part, safe=safe + "-_.~")


def make_path(draw):
    if draw.random() < 0.1:
        return draw.choice(["", "/", "//", "/.", "/..", "/../", "/a/./b/../c//d/", "/./"])
    parts = [draw.choice([text(draw, 8, PLAIN + ODD + UNICODE), text(draw, 8, PLAIN), "", ".", "..", "..."])
             for _ in range(draw.randint(1, 6))]
    return "/" + "/".join(quote(part) for part in parts)


def make_query(draw):
    """Pairs as a program has them, in no order; None is a parameter without '='."""
    pairs = []
    for _ in range(draw.choice([0, 0, 1, 2, 3, 8])):
        name = text(draw, 6, PLAIN + ODD + UNICODE) or "k"
        value = draw.choice([None, "", text(draw, 12, PLAIN + ODD + UNICODE), text(draw, 5, "/=+%")])
        pairs.append((name, value))
        if draw.random() < 0.2:
            pairs.append((name, text(draw, 3, PLAIN)))
    return pairs


def write_query(draw, pairs):
    """As a URL has it. A raw '/' or '=' in a value is what the service reads as one, too."""
    safe = draw.choice(["", "/", "/=:", ""])
    return "&".join(quote(name) if value is None else f"{quote(name)}={quote(value, safe)}" for name, value in pairs)


def make_headers(draw):
    headers, used = [], {"host", "authorization"}
    for number in range(draw.randint(0, 10)):
        name = draw.choice(["x-amz-meta-", "Content-", "X-", "If-", "a", "Z"]) + text(draw, 4, "abcXYZ-019") + str(number)
        if name.lower() in used:
            continue
        used.add(name.lower())
        blanks = [" " * draw.randint(0, 3) for _ in range(4)]
        words = [text(draw, 6, PLAIN + "/=+%:;,*\"") for _ in range(3)]
        headers.append((name, blanks[0] + words[0] + blanks[1] + words[1] + blanks[2] + words[2] + blanks[3]))
    if draw.random() < 0.3:
        headers.append(("User-Agent", "armada/1  test"))
    return headers


def make_request(draw):
    pairs = make_query(draw)
    url = draw.choice(["http://127.0.0.1:9000", "https://s3.eu-west-1.amazonaws.com", "https://b.example.org:8443",
                       "http://localhost:80", "https://photos.s3.amazonaws.com:443", "http://[::1]:7070"])
    url += make_path(draw) or "/"  # what is sent for an empty one; botocore signs what it is given
    query = write_query(draw, pairs)
    body = draw.choice([b"", b"", draw.randbytes(draw.randint(1, 300)), b"\0\r\n\xff", "ä=1&b".encode()])
    return {"method": draw.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]), "url": url + ("?" + query if query else ""),
            "headers": make_headers(draw), "body": body.hex(), "region": draw.choice(["us-east-1", "cn-north-1", "x"]),
            "service": draw.choice(["s3", "s3", "ec2", "ecs", "sts"]), "access_key": text(draw, 20, "AKIB012") + "K",
            "secret_key": text(draw, 40, PLAIN + "/+") + "s",
            "session_token": draw.choice(["", "", text(draw, 300, PLAIN + "/+=") + "t"]),
            "utc_ms": draw.randint(0, 4_000_000_000) * 1000}, url, pairs


def expected(request, bare_url, pairs, monkeypatch):
    moment = datetime.datetime.fromtimestamp(request["utc_ms"] // 1000, datetime.timezone.utc)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None), raising=False)
    signer = botocore.auth.S3SigV4Auth if request["service"] == "s3" else botocore.auth.SigV4Auth
    sent = AWSRequest(method=request["method"], url=bare_url, data=bytes.fromhex(request["body"]),
                      params=[(name, value or "") for name, value in pairs])
    for name, value in request["headers"]:
        sent.headers[name] = value
    sent.context["payload_signing_enabled"] = True
    credentials = Credentials(request["access_key"], request["secret_key"], request["session_token"] or None)
    signer(credentials, request["service"], request["region"]).add_auth(sent)
    return {name.lower(): value for name, value in sent.headers.items()}


def test_signs_as_botocore_does(monkeypatch):
    seed = int(os.environ.get("ARMADA_SIGV4_SEED") or random.SystemRandom().getrandbits(32))
    print(f"ARMADA_SIGV4_SEED={seed}")
    draw = random.Random(seed)
    made = [make_request(draw) for _ in range(REQUESTS)]
    lines = "".join(json.dumps(request) + "\n" for request, _, _ in made)
    run = subprocess.run([SIGNER], input=lines, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == REQUESTS
    for answer, (request, bare_url, pairs) in zip(answers, made):
        wanted = expected(request, bare_url, pairs, monkeypatch)
        ours = {name.lower(): value for name, value in answer.items()}
        for name in ("authorization", "x-amz-date", "x-amz-security-token"):
            assert ours.get(name) == wanted.get(name), (seed, name, request)
        assert ours.get("x-amz-content-sha256") == wanted.get("x-amz-content-sha256"), (seed, request)


@pytest.mark.parametrize("change", ["method", "url", "body", "region", "secret_key"])
def test_whatever_changes_the_request_changes_the_signature(change):
    request, _, _ = make_request(random.Random(7))
    other = dict(request)
    other[change] = {"method": "HEAD" if request["method"] != "HEAD" else "GET", "url": request["url"] + "x",
                     "body": request["body"] + "00"}.get(change, "other")
    lines = json.dumps(request) + "\n" + json.dumps(other) + "\n"
    run = subprocess.run([SIGNER], input=lines, capture_output=True, text=True, timeout=60)
    first, second = [json.loads(line)["Authorization"] for line in run.stdout.splitlines()]
    assert first.rpartition("=")[2] != second.rpartition("=")[2]
