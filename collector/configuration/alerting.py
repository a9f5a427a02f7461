"""When somebody is told of what is wrong, and how: the section `alerts` of the configuration."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from collector.configuration import values
from collector.configuration.base import Model, or_from_file
from collector.configuration.fields import (
    NOT_EMPTY,
    Delay,
    Duration,
    Encryption,
    MailAddress,
    Place,
    PlainUrl,
    Secret,
    SecretFile,
    SeverityField,
    Share,
    Switch,
    Text,
    Url,
    empty_is_default,
)
from collector.health.assessment import Severity


def url_in(secret: SecretStr | None) -> str | None:
    """Return the URL that a file held. Raises ValueError if it held none."""
    return None if secret is None else values.url(secret.get_secret_value())


class Rule(Model):
    """What is otherwise for one alert."""

    severity: SeverityField | None = Field(None, description="How bad it is: `critical`, `warning` or `info`.")
    lasts: Delay | None = Field(None, alias="for", description="How long its condition holds before it is told.")
    off: Switch = Field(False, description="Never tell of it.")


class Webhook(Model):
    """A URL that gets JSON, in the form that Alertmanager's webhooks have."""

    url_file: SecretFile | None = Field(None, description="File with the URL, relative to this file.")
    url: Url | None = Field(
        None, repr=False, description="Where to; it may hold `user:password@`, which is never shown."
    )
    token_file: SecretFile | None = Field(None, description="File with a bearer token, relative to this file.")
    token: Secret | None = Field(None, description="The bearer token.")

    @field_validator("url")
    @classmethod
    def _url_from_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        return value if value is not None else url_in(info.data.get("url_file"))

    _from_file = field_validator("token")(or_from_file)

    @model_validator(mode="after")
    def _one_authorization(self) -> Self:
        if self.token is not None and urlsplit(self.url or "").username is not None:
            raise ValueError("has a user in its URL, and a token; keep one of them")
        return self


class Slack(Model):
    """An incoming webhook of Slack, or of what speaks its language, such as Mattermost."""

    url_file: SecretFile | None = Field(None, description="File with the URL, relative to this file.")
    url: Secret | None = Field(None, description="The URL, which is a secret.")

    @field_validator("url")
    @classmethod
    def _from_file(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        found: SecretStr | None = value if value is not None else info.data.get("url_file")
        url_in(found)
        return found


class Telegram(Model):
    """A chat of Telegram."""

    chat: Text = Field(description="The chat's number, such as `-1001234567890`, or the `@name` of a channel.")
    token_file: SecretFile | None = Field(None, description="File with the bot's token, relative to this file.")
    token: Secret | None = Field(None, description="The bot's token.")
    api: PlainUrl = Field("https://api.telegram.org", description="Where Telegram, or what stands for it, answers.")

    _from_file = field_validator("token")(or_from_file)


class Mail(Model):
    """Mail, by a server that takes it."""

    to: Annotated[tuple[MailAddress, ...], NOT_EMPTY] = Field(
        description="The addresses that get it.", json_schema_extra={"minItems": 1}
    )
    sender: MailAddress = Field(alias="from", description="The address that it comes from.")
    server: Place = Field(description="Host and port of the server: `mail.example:587`.")
    tls: Encryption = Field("starttls", description="`starttls`, `tls` from the first byte (port 465), or `none`.")
    username: Text | None = Field(None, description="User of the server, if it wants one.")
    password_file: SecretFile | None = Field(None, description="File with the password, relative to this file.")
    password: Secret | None = Field(None, description="The user's password.")

    _from_file = field_validator("password")(or_from_file)


class PagerDuty(Model):
    """A service of PagerDuty, by its Events API v2."""

    key_file: SecretFile | None = Field(None, description="File with the integration key, relative to this file.")
    key: Secret | None = Field(None, description="The integration key.")
    api: PlainUrl = Field("https://events.pagerduty.com", description="Where PagerDuty answers.")

    _from_file = field_validator("key")(or_from_file)


WAYS = ("webhook", "slack", "telegram", "mail", "pagerduty")


class Channel(Model):
    """One way to tell somebody: exactly one of webhook, slack, telegram, mail and pagerduty."""

    name: Text | None = Field(None, description="What it is called in messages. Left out: the way, and a number.")
    severity: SeverityField = Field(Severity.WARNING, description="Tell what is so bad, and worse.")
    chains: tuple[Text, ...] = Field((), description="Tell of these chains alone. Left out: of all, and of chainwatch.")
    webhook: Webhook | None = Field(None, description="A URL that gets JSON.")
    slack: Slack | None = Field(None, description="Slack, or what speaks its language.")
    telegram: Telegram | None = Field(None, description="Telegram.")
    mail: Mail | None = Field(None, description="Mail.")
    pagerduty: PagerDuty | None = Field(None, description="PagerDuty.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if len([way for way in WAYS if getattr(self, way) is not None]) != 1:
            raise ValueError(
                "says not one way to tell somebody; write one of webhook, slack, telegram, mail and pagerduty"
            )
        return self


class Alerts(Model):
    """What is told, and to whom: by Alertmanager (`chainwatch alerts`), or by the collector (`outputs.notify`)."""

    address: PlainUrl | None = Field(
        None,
        description="Where people reach the live page, such as `https://monitor.example`: links to runbooks lead "
        "there. Left out: the address at which `outputs` serve it.",
    )
    buffer_share: Share = Field(
        0.8, description="Share of an output's room for readings that wait, which may be taken."
    )
    stale: Duration = Field(
        300.0, description="How long no gather of a chain may succeed: this, and three of its intervals at least."
    )
    failing: Duration = Field(300.0, description="How long requests to an output may fail, none succeeding.")
    missed_share: Share = Field(
        0.1, description="Share of a node's gathers that may be missed because the one before was not over."
    )
    rules: dict[Text, Annotated[Rule, BeforeValidator(empty_is_default)]] = Field(
        {}, description="What is otherwise for single alerts, by their names; docs/alerts.md has them."
    )
    channels: tuple[Channel, ...] = Field((), description="Whom to tell, and how.")
    watchdog_file: SecretFile | None = Field(
        None, description="File with the URL of `watchdog`, relative to this file."
    )
    watchdog: Url | None = Field(
        None,
        repr=False,
        description="A URL that Alertmanager calls every five minutes, as long as it is alive and so is Prometheus: "
        "what waits for that tells you when the calls end.",
    )

    @field_validator("watchdog")
    @classmethod
    def _from_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        return value if value is not None else url_in(info.data.get("watchdog_file"))


class Notify(Model):
    """The collector's own notifier, for who runs no Prometheus: it tells the channels of `alerts`."""

    every: Duration = Field(900.0, description="Of the same alert, a channel is not told anew more often than this.")
    repeat: Delay = Field(14_400.0, description="So often it is said again that an alert still fires. 0: never.")
    heartbeat: Url | None = Field(
        None, repr=False, description="A URL that is called while gathers and deliveries succeed, and only then."
    )
    heartbeat_interval: Duration = Field(60.0, description="How often it is called.")
