"""What the pages of protocols and of alert limits share: the version in the address, approving,
taking out of use, comparing two versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from gettext import gettext as _
from typing import Any, Protocol, TypeVar
from uuid import UUID

import streamlit as st

from monitor.actions.versions import Standing, StoredVersion, version_before
from monitor.errors import InvalidEntry, MonitorError
from monitor.permissions import User
from monitor.protocol_difference import Change
from monitor.store import Store
from pages.widgets.clinic_time import now
from pages.widgets.look import is_dark
from pages.widgets.protocol_sheet import difference_html, framed

T = TypeVar("T", bound=StoredVersion)


class Decision(Protocol):
    """Approving or retiring a version, with what is said of it."""

    def __call__(
        self, store: Store, user: User, version_id: UUID, words: str, /, *, now: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What may be decided about versions of a kind, and how."""

    may_approve: Callable[[User, Any], bool]
    may_retire: Callable[[User, Any], bool]
    approves: Callable[[User], bool]
    approve: Decision
    retire: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """A page of versions; its ``name`` begins the keys of its widgets."""

    name: str
    decisions: Decisions
    difference: Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[Change]]

    def in_address(self, versions: Sequence[T]) -> T | None:
        """The version the address names."""
        named = st.query_params.get("version", "")
        return next((item for item in versions if str(item.version.id) == named), None)

    def go_to(self, version_id: UUID | None, done: str = "", form: str = "") -> None:
        """Draw this page anew for a version, the form for one, or the list."""
        query = {"version": str(version_id) if version_id else "", "form": form}
        st.query_params.from_dict({name: value for name, value in query.items() if value})
        if done:
            st.session_state[f"{self.name}.done"] = done
        st.rerun()

    def say_done(self) -> None:
        """What was done just now, on the page after it."""
        if done := st.session_state.pop(f"{self.name}.done", None):
            st.success(done)
            # The button was at the end of a long page; the top of this one may be out of sight.
            st.toast(done, duration="long")

    # -- deciding ----------------------------------------------------------------------------
    def decide(self, store: Store, user: User, item: StoredVersion, *, ready: bool) -> None:
        """Approving and taking out of use, for those who may; why not, where somebody expects it."""
        draft = item.standing is Standing.DRAFT
        may_approve = self.decisions.may_approve(user, item)
        if draft and self.decisions.approves(user) and not may_approve:
            st.info(_("You wrote this version. Somebody else has to approve it."))
        approves, retires = may_approve and ready, self.decisions.may_retire(user, item)
        if not approves and not retires:
            return
        places = st.columns(2) if approves else [st.container()]
        if approves:
            with places[0]:
                self._approve(store, user, item)
        if retires:
            with places[-1]:
                self._retire(store, user, item, draft=draft)

    def _approve(self, store: Store, user: User, item: StoredVersion) -> None:
        with st.expander(_("Approve this version"), icon=":material/verified:"):
            with st.form(f"{self.name}.approve", border=False, enter_to_submit=False):
                st.markdown(
                    _(
                        "From then on sessions can be started under it, in your name; the approved "
                        "version before it goes out of use. Sessions that are open keep theirs."
                    )
                )
                comment = st.text_input(_("What did you check?"), key=f"{self.name}.comment")
                if not st.form_submit_button(_("Approve"), type="primary"):
                    return
            self._do(
                lambda: self.decisions.approve(store, user, item.version.id, comment, now=now()),
                item,
                _("{name} is approved."),
            )

    def _retire(self, store: Store, user: User, item: StoredVersion, *, draft: bool) -> None:
        title = _("Discard this draft") if draft else _("Take this version out of use")
        with st.expander(title, icon=":material/block:"):
            with st.form(f"{self.name}.retire", border=False, enter_to_submit=False):
                st.markdown(
                    _("It stays readable, and cannot be brought back.")
                    if draft
                    else _(
                        "No session can be started under it any more. It stays readable and cannot "
                        "be brought back; {n} open sessions go on under it."
                    ).format(n=item.running)
                )
                reason = st.text_input(_("Why?"), key=f"{self.name}.reason")
                if not st.form_submit_button(title):
                    return
            self._do(
                lambda: self.decisions.retire(store, user, item.version.id, reason, now=now()),
                item,
                _("{name} is out of use."),
            )

    def _do(self, change: Callable[[], None], item: StoredVersion, done: str) -> None:
        """Make one change, then draw the page afresh; a refusal is said beside the form."""
        try:
            change()
        except InvalidEntry as refused:
            for problem in refused.problems:
                st.error(problem.message)
            return
        except MonitorError as refused:
            st.error(str(refused))
            return
        self.go_to(item.version.id, done.format(name=item.label))

    # -- comparing ---------------------------------------------------------------------------
    def compare(self, item: T, versions: Sequence[T]) -> None:
        """What differs from the version before, or from any other."""
        others = [other for other in versions if other.version.id != item.version.id]
        before = version_before(versions, item.version)
        with st.expander(
            _("What differs from another version"),
            expanded=before is not None and item.standing is Standing.DRAFT,
            icon=":material/compare_arrows:",
        ):
            other = st.selectbox(
                _("Compared with"),
                others,
                index=others.index(before) if before else None,
                format_func=lambda choice: choice.label,
                placeholder=_("choose a version"),
                key=f"{self.name}.other.{item.version.id}",
            )
            if other is not None:
                changes = self.difference(other.content, item.content)
                st.html(framed(difference_html(changes), dark=is_dark()))
