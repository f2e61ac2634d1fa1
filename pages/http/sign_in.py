"""Signing in, unlocking and signing out: ordinary forms that work without any script."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from gettext import gettext as _
from html import escape
from typing import Any

import anyio
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from monitor import passwords
from monitor.errors import MonitorError, NotFound, NotPermitted
from monitor.permissions import Role, User
from monitor.user_admin import (
    DEMO_ACCOUNTS,
    DEMO_PASSWORD,
    is_demo,
    normal_username,
    refresh_password_hash,
)
from pages.http import csrf, throttle
from pages.http.context import Gate, Standing, Visitor, cookie_name, token_hash, visitor
from pages.http.device import (
    drop_cookie,
    end_device,
    is_secure,
    open_device,
    set_cookie,
    unlock_device,
)
from pages.http.plain_page import DEMO_BANNER, hidden, plain_page, refusal
from pages.http.watch import Watch

_LOG = logging.getLogger(__name__)

#: argon2 takes 64 MiB and about 0.1 s of four lanes: more at once would starve everybody else.
_HASHES_AT_ONCE = 2
#: Longer names and secrets are not looked at.
_MAX_FIELD = 256


@dataclass(frozen=True, slots=True)
class Answer:
    """What a typed name and secret led to: a person, or a sentence and how much later to say it."""

    user: User | None
    sentence: str = ""
    delay_s: float = 0.0


def _wrong() -> str:
    return _("The user name or the password is not right. Nothing else about it can be said here.")


def _too_often(minutes: int) -> str:
    return _(
        "Too many wrong passwords for this name from here. Wait {minutes} minutes, use another "
        "device, or ask an administrator. Other people can still sign in here."
    ).format(minutes=minutes)


def check_password(gate: Gate, username: str, password: str, address: str) -> Answer:
    """Whether this is the person they say they are.  Blocking; takes the same time for any name."""
    now = gate.clock()
    verdict = throttle.password_verdict(gate.store, username, address, now)
    if verdict.refused:
        return Answer(None, _too_often(int(throttle.WINDOW.total_seconds() // 60)))
    user, stored = _account(gate, username)
    if not passwords.verify_secret(stored, password[:_MAX_FIELD]) or user is None:
        if throttle.password_wrong(gate.store, username, address, now):
            _LOG.warning("too many wrong passwords for one account from %s", address)
        return Answer(None, _wrong(), verdict.delay_s)
    if not user.active:
        return Answer(None, _("This account is disabled. Ask an administrator."), verdict.delay_s)
    throttle.password_right(gate.store, username, address)
    if stored is not None and passwords.needs_rehash(stored):
        refresh_password_hash(gate.store, user, password, now=now)
    return Answer(user)


def check_pin(gate: Gate, username: str, pin: str, device_token_hash: str) -> Answer:
    """Whether a PIN is this person's; a PIN counts on a signed-in device only.  Blocking."""
    now = gate.clock()
    if throttle.pin_verdict(gate.store, username, device_token_hash, now).refused:
        return Answer(None, _("Too many wrong PINs on this device. Use your password."))
    try:
        user = gate.store.user(username)
        stored = gate.store.credential(username).pin_hash
    except NotFound:
        user, stored = None, None
    if not passwords.verify_secret(stored, pin) or user is None or not user.active:
        throttle.pin_wrong(gate.store, username, device_token_hash, now)
        return Answer(None, _("The user name or the PIN is not right. You can use your password."))
    throttle.pin_right(gate.store, username, device_token_hash)
    return Answer(user)


def check_unlock(gate: Gate, seen: Visitor, username: str, secret: str, address: str) -> Answer:
    """PIN or password of somebody of the same clinic, to go on with a locked device.  Blocking."""
    if secret.isdigit() and len(secret) <= passwords.MAX_PIN_LENGTH:
        answer = check_pin(gate, username, secret, seen.device.token_hash)
    else:
        answer = check_password(gate, username, secret, address)
    if answer.user is not None and answer.user.clinic != seen.user.clinic:
        return Answer(None, _("This device is signed in for another clinic. Sign out first."))
    return answer


def safe_next(text: str) -> str:
    """A path of this server to go to afterwards; anything else becomes the first page."""
    inside = text.startswith("/") and not text.startswith("//") and "\\" not in text
    if not inside or not text.isprintable():
        return "/"
    return "/" if text.partition("?")[0] in ("/sign-in", "/sign-out", "/unlock") else text


def routes(gate: Gate, watch: Watch) -> list[Route]:
    """``/sign-in``, ``/unlock``, ``/sign-out``."""
    desk = _Desk(gate, watch)
    return [
        Route("/sign-in", desk.show_sign_in, methods=["GET"]),
        Route("/sign-in", desk.sign_in, methods=["POST"]),
        Route("/unlock", desk.show_unlock, methods=["GET"]),
        Route("/unlock", desk.unlock, methods=["POST"]),
        Route("/sign-out", desk.show_sign_out, methods=["GET"]),
        Route("/sign-out", desk.sign_out, methods=["POST"]),
    ]


class _Desk:
    def __init__(self, gate: Gate, watch: Watch) -> None:
        self._gate = gate
        self._watch = watch
        self._hashing: anyio.CapacityLimiter | None = None

    async def _off_loop(self, function: Any, *arguments: Any) -> Any:
        if self._hashing is None:
            self._hashing = anyio.CapacityLimiter(_HASHES_AT_ONCE)
        return await anyio.to_thread.run_sync(function, *arguments, limiter=self._hashing)

    async def show_sign_in(self, request: Request) -> Response:
        goal = safe_next(request.query_params.get("next", "/"))
        seen = request.scope["state"].get("visitor")
        if isinstance(seen, Visitor) and seen.standing is not Standing.ENDED:
            return RedirectResponse(goal, 303)
        return await self._sign_in_page(goal)

    async def sign_in(self, request: Request) -> Response:
        form = await _form(request)
        goal = safe_next(_field(form, "next"))
        try:
            csrf.check_same_origin(request)
            username = normal_username(_field(form, "username"))
            answer = await self._off_loop(
                check_password, self._gate, username, _field(form, "password"), _address(request)
            )
            if answer.user is not None and answer.user.role is Role.WALL:
                answer = Answer(None, _("A wall screen is enrolled by an administrator."))
            if answer.user is None:
                await asyncio.sleep(answer.delay_s)
                return await self._sign_in_page(
                    goal, _field(form, "username"), answer.sentence, status=401
                )
            now = self._gate.clock()
            old = request.cookies.get(cookie_name(is_secure(request)))
            if old:
                await self._off_loop(end_device, self._gate, token_hash(old), now)
                await self._watch.look(token_hash(old))
            agent = request.headers.get("user-agent", "")
            token, _device = await self._off_loop(_open, self._gate, answer.user, agent)
        except MonitorError as error:
            return await self._sign_in_page(goal, "", str(error), status=_status(error))
        response = RedirectResponse(goal, 303)
        set_cookie(response, token, secure=is_secure(request), policy=self._gate.policy)
        return response

    async def show_unlock(self, request: Request) -> Response:
        seen = visitor(request)
        goal = safe_next(request.query_params.get("next", "/"))
        if seen.standing is Standing.OPEN:
            return RedirectResponse(goal, 303)
        return _unlock_page(seen, goal)

    async def unlock(self, request: Request) -> Response:
        """From the form of the page, or from the overlay, which asks for JSON."""
        seen = visitor(request)
        form = await _form(request)
        goal = safe_next(_field(form, "next"))
        username = normal_username(_field(form, "username"))
        try:
            csrf.check_same_origin(request)
            csrf.check_token(request, request.headers.get(csrf.HEADER) or _field(form, "csrf"))
            answer = await self._off_loop(
                check_unlock,
                self._gate,
                seen,
                username,
                _field(form, "secret"),
                _address(request),
            )
            token_hash_ = seen.device.token_hash
            if answer.user is not None:
                now = self._gate.clock()
                await self._off_loop(unlock_device, self._gate, token_hash_, answer.user, now)
                await self._watch.look(token_hash_)
        except MonitorError as error:
            answer = Answer(None, str(error))
        await asyncio.sleep(answer.delay_s)
        if _wants_json(request):
            if answer.user is None:
                return JSONResponse({"error": answer.sentence}, 403)
            return JSONResponse({"unlocked": True})
        if answer.user is None:
            return _unlock_page(seen, goal, username, answer.sentence, status=403)
        return RedirectResponse(goal, 303)

    async def show_sign_out(self, request: Request) -> Response:
        """A link cannot sign anybody out (an image on another site could be one): a button does."""
        seen = visitor(request)
        body = (
            f'<div class="card"><h1>{escape(_("Sign out"))}</h1>'
            f"<p>{escape(_('Signed in as {name}.').format(name=seen.user.name))}</p>"
            f'<form method="post" action="/sign-out">{hidden("csrf", seen.device.csrf_token)}'
            f'<button type="submit">{escape(_("Sign out"))}</button></form></div>'
        )
        return plain_page(_("Sign out"), body)

    async def sign_out(self, request: Request) -> Response:
        seen = visitor(request)
        form = await _form(request)
        csrf.check_same_origin(request)
        csrf.check_token(request, request.headers.get(csrf.HEADER) or _field(form, "csrf"))
        now = self._gate.clock()
        await self._off_loop(end_device, self._gate, seen.device.token_hash, now)
        await self._watch.look(seen.device.token_hash)
        response: Response = (
            JSONResponse({"signed_out": True})
            if _wants_json(request)
            else RedirectResponse("/sign-in", 303)
        )
        drop_cookie(response, secure=is_secure(request))
        return response

    async def _sign_in_page(
        self, goal: str, username: str = "", sentence: str = "", status: int = 200
    ) -> Response:
        try:
            demo = await self._off_loop(is_demo, self._gate.store)
        except MonitorError as error:
            demo, sentence, status = False, str(error), 503
        body = (
            f"<h1>{escape(_('Infusion session monitor'))}</h1>"
            f'<p class="soft">{escape(_("Sign in with your own account."))}</p>'
            f'<div class="card">{refusal(sentence)}'
            f'<form method="post" action="/sign-in">{hidden("next", goal)}'
            f"{_username_field(username)}{_secret_field('password', _('Password'))}"
            f'<button type="submit">{escape(_("Sign in"))}</button></form></div>'
            f"{_demo_accounts(goal) if demo else ''}"
        )
        return plain_page(_("Sign in"), body, status=status)


def _account(gate: Gate, username: str) -> tuple[User | None, str | None]:
    try:
        return gate.store.user(username), gate.store.credential(username).password_hash
    except NotFound:
        return None, None


def _open(gate: Gate, user: User, agent: str) -> tuple[str, Any]:
    return open_device(gate, user, user_agent=agent, now=gate.clock())


async def _form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=10)


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value[:_MAX_FIELD] if isinstance(value, str) else ""


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _status(error: MonitorError) -> int:
    return 403 if isinstance(error, NotPermitted) else 503


def _username_field(value: str) -> str:
    return (
        f'<label for="username">{escape(_("User name"))}</label>'
        f'<input type="text" id="username" name="username" value="{escape(value)}" required '
        'autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false"'
        f"{'' if value else ' autofocus'}>"
    )


def _secret_field(name: str, label: str, *, focus: bool = False) -> str:
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input type="password" id="{name}" name="{name}" required '
        f'autocomplete="current-password"{" autofocus" if focus else ""}>'
    )


def _unlock_page(
    seen: Visitor, goal: str, username: str = "", sentence: str = "", status: int = 200
) -> Response:
    who = _("{name} is signed in on this device.").format(name=seen.user.name)
    body = (
        f'<div class="card"><h1>{escape(_("Locked"))}</h1><p>{escape(who)} '
        f"{escape(_('Anyone of the clinic can go on here with their own PIN or password.'))}</p>"
        f"{refusal(sentence)}"
        f'<form method="post" action="/unlock">{hidden("next", goal)}'
        f"{hidden('csrf', seen.device.csrf_token)}"
        f"{_username_field(username or seen.user.username)}"
        f"{_secret_field('secret', _('PIN or password'), focus=True)}"
        f'<button type="submit">{escape(_("Unlock"))}</button></form>'
        f'<form method="post" action="/sign-out">{hidden("csrf", seen.device.csrf_token)}'
        f'<button class="quiet" type="submit">{escape(_("Sign out"))}</button></form></div>'
    )
    return plain_page(_("Locked"), body, status=status)


def _demo_accounts(goal: str) -> str:
    """One button per demo account.  Only a database that holds nothing else shows them."""
    roles = {
        Role.NURSE: _("nurse"),
        Role.ANAESTHETIST: _("anaesthetist"),
        Role.LEAD: _("clinic lead"),
        Role.ADMIN: _("administrator"),
    }
    forms = "".join(
        f'<form method="post" action="/sign-in">{hidden("next", goal)}'
        f"{hidden('username', username)}{hidden('password', DEMO_PASSWORD)}"
        f'<button class="quiet" type="submit">{escape(name)}'
        f"<span>{escape(roles[role])} &middot; PIN {escape(pin)}</span></button></form>"
        for username, name, role, _shift_lead, pin in DEMO_ACCOUNTS
    )
    password = _('Password of every demo account: "{password}"').format(password=DEMO_PASSWORD)
    return (
        f'<p class="demo">{escape(_(DEMO_BANNER))}</p><div class="card">'
        f"<h2>{escape(_('Demo accounts'))}</h2>{forms}"
        f'<p class="soft" style="margin:16px 0 0">{escape(password)}</p></div>'
    )
