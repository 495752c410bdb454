"""The evidence store at an S3-compatible address: a small bucket of our own, spoken to over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.gateways.evidence_store import EvidenceAltered, EvidenceMissing, EvidenceStore, EvidenceStoreAway


class Bucket:
    """As much of S3 as the store uses: put, get, delete, list."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.down = False
        self.signed = True

    async def answer(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        self.signed &= request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential=key/")
        key = request.match_info["key"]
        if "list-type" in request.query:
            return self._listed(request.query.get("prefix", ""))
        if request.method == "PUT":
            self.objects[key] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if request.method == "POST" and "delete" in request.query:
            keys = re.findall(r"<Key>(.*?)</Key>", await request.text())
            for one in keys:
                self.objects.pop(one, None)
            rows = "".join(f"<Deleted><Key>{one}</Key></Deleted>" for one in keys)
            return web.Response(text=f"<DeleteResult>{rows}</DeleteResult>", content_type="application/xml")
        if key not in self.objects:
            return web.Response(status=404)
        head = {"ETag": '"1"', "Last-Modified": "Mon, 18 May 2026 02:00:00 GMT"}
        return web.Response(body=self.objects[key], headers=head)

    def _listed(self, prefix: str) -> web.Response:
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-05-18T02:00:00.000Z</LastModified>"
            f'<ETag>"1"</ETag><Size>{len(content)}</Size></Contents>'
            for key, content in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        return web.Response(text=body, content_type="application/xml")


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    bucket, app = Bucket(), web.Application()
    app.router.add_route("*", "/evidence-bucket{slash:/?}{key:.*}", bucket.answer)
    async with TestServer(app) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{server.host}:{server.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "cn-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield bucket


async def test_evidence_is_kept_in_a_bucket_under_its_hash(bucket: Bucket, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, "s3://evidence-bucket/qiquan")
    name = await store.put(b"evidence")
    assert name == sha256(b"evidence").hexdigest()
    assert bucket.objects == {f"qiquan/evidence/{name[:2]}/{name}": b"evidence"}
    assert await store.get(name) == b"evidence"
    assert [one async for one in store.hashes()] == [[name]]
    await store.delete(name)
    await store.delete(name)
    assert bucket.objects == {}
    with pytest.raises(EvidenceMissing):
        await store.get(name)
    assert bucket.signed


async def test_what_a_bucket_gives_back_altered_is_found(bucket: Bucket, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, "s3://evidence-bucket/qiquan")
    name = await store.put(b"evidence")
    bucket.objects[f"qiquan/evidence/{name[:2]}/{name}"] = b"Evidence"
    with pytest.raises(EvidenceAltered):
        await store.get(name)


async def test_a_bucket_that_is_away_is_an_outage(bucket: Bucket, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, "s3://evidence-bucket/qiquan")
    bucket.down = True
    with pytest.raises(EvidenceStoreAway):
        await store.put(b"evidence")
