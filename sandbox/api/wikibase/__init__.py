"""The Wikibase modules that the product uses."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.api.call import Call, Json
from sandbox.api.wikibase import claims, editing, entities, search

ACTIONS: dict[str, Callable[[Call], Json]] = {
    "wbgetentities": entities.wbgetentities,
    "wbgetclaims": entities.wbgetclaims,
    "wbsearchentities": search.wbsearchentities,
    "wbsetclaim": claims.wbsetclaim,
    "wbcreateclaim": claims.wbcreateclaim,
    "wbremoveclaims": claims.wbremoveclaims,
    "wbeditentity": editing.wbeditentity,
}
