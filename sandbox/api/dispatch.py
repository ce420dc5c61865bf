"""Takes a request apart, checks what concerns every action, and calls the action."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import Blueprint, Response, current_app, g, request

from sandbox.api import access, answer, edits, opensearch, paraminfo, query, wikibase
from sandbox.api.call import Call, Json
from sandbox.api.errors import ApiError, missing_param, refused_with
from sandbox.records import Wiki, now

bp = Blueprint("api", __name__)

ACTIONS: dict[str, Callable[[Call], Json]] = {
    "query": query.run,
    "edit": edits.edit,
    "compare": edits.compare,
    "paraminfo": paraminfo.paraminfo,
    **wikibase.ACTIONS,
}
WRITES = {
    "edit", "wbsetclaim", "wbcreateclaim", "wbremoveclaims", "wbeditentity",
}  # fmt: skip


@bp.route("/<any(commons, wikidata):wiki>/w/api.php", methods=["GET", "POST", "OPTIONS"])
def api(wiki: str) -> Response:
    """The Action API."""
    if request.method == "OPTIONS":
        return Response()
    call = _call(cast(Wiki, wiki))
    version = 2 if call.values.get("formatversion") in ("2", "latest") else 1
    error_format = call.values.get("errorformat", "bc")
    if call.values.get("format") != "json":
        return answer.html_page(call)
    try:
        _identify(call)
        if call.action == "opensearch":
            return answer.plain(opensearch.opensearch(call))
        body = _run(call)
        call.warn_unread()
        response = answer.result(call, body, version, error_format)
    except ApiError as error:
        response = answer.refusal(call, error, version, error_format)
    return _finish(call, response)


def _call(wiki: Wiki) -> Call:
    values: dict[str, str] = request.values.to_dict()
    return Call(
        world=current_app.extensions["world"],
        faults=current_app.extensions["faults"],
        wiki=wiki,
        action=values.get("action", ""),
        values=values,
        posted=frozenset(request.form),
        post=request.method == "POST",
        user=None,
        bearer="",
        rights=frozenset(),
        address=request.remote_addr or "127.0.0.1",
        module=values.get("action", "main"),
    )


def _identify(call: Call) -> None:
    call.user, call.bearer = access.identify(call.world, request)
    if call.bearer and call.fault("expired-token"):
        raise access.invalid_bearer()
    call.rights = frozenset(access.rights_of(call.world, call.user, call.bearer))


def _run(call: Call) -> Json:
    _check_maxlag(call)
    access.check_assertions(call)
    if not call.action:
        raise missing_param("action", "main")
    action = ACTIONS.get(call.action)
    if action is None:
        raise call.params("main").bad_value("action", call.action)
    if call.action in WRITES:
        if call.fault("readonly"):
            data = {"readonlyreason": access.READ_ONLY}
            text = "The wiki is currently in read-only mode."
            raise ApiError("readonly", text, data, module="main")
        access.check_token(call)
    target = g.get("target")  # known while any fault is in force
    if target and (rule := call.faults.take("refuse", target)):
        raise refused_with(rule.codes)
    return {**_extras(call), **action(call)}


def _extras(call: Call) -> Json:
    body: Json = {}
    if "requestid" in call.values:
        body["requestid"] = call.values["requestid"]
    if "curtimestamp" in call.values:
        body["curtimestamp"] = now()
    return body


def _check_maxlag(call: Call) -> None:
    text = call.values.get("maxlag")
    if text is None:
        return
    rule = call.fault("maxlag")
    lag = rule.lag if rule else 0
    if lag <= float(text or 0):
        return
    host, source = (rule.host, rule.source) if rule else ("10.64.0.1", "db")
    data = {"host": host, "lag": lag, "type": source}
    wait = 5 if rule is None or rule.retry_after is None else rule.retry_after
    headers = {"Retry-After": str(wait), "X-Database-Lag": str(int(lag))}
    told = f"Waiting for a database server: {lag} seconds lagged."
    raise ApiError("maxlag", told, data, module="main", headers=headers)


def _finish(call: Call, response: Response) -> Response:
    origin = call.values.get("origin")
    if origin == "*":
        response.headers["Access-Control-Allow-Origin"] = "*"
    elif call.bearer:
        response.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie, Authorization"
    return response
