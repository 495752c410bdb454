"""Settings: typed, strict, and unsafe ones refused by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from server import settings
from server.settings import Settings, SettingsError

LONG = "k" * 48
CHAT = {"wechat_callback_token": "T" * 32, "wechat_callback_aes_key": "k" * 43}
SAFE = Settings(
    mode="production",
    database_url="postgres://qiquan@127.0.0.1/qiquan",
    jwt_keys={"a": LONG},
    data_keys={"a": LONG},
    receipt_key=LONG,
    wechat_appid="wx0123456789abcdef",
    wechat_secret="0123456789abcdef0123456789abcdef",
)


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, 'port = 9000\nhost = "0.0.0.0"\nevidence_dir = "files"\n')
    loaded = settings.load({"QIQUAN_PORT": "9001", "QIQUAN_DEMO_LOGIN": "true", "PATH": "/bin"}, file=path)
    assert (loaded.port, loaded.host, loaded.demo_login) == (9001, "0.0.0.0", True)
    assert loaded.evidence_dir == Path("files")


def test_the_file_named_by_the_environment_is_read(tmp_path: Path) -> None:
    path = file(tmp_path, "workers = 3\n")
    assert settings.load({"QIQUAN_CONFIG": str(path)}).workers == 3


def test_jwt_keys_keep_their_order_because_the_first_one_signs(tmp_path: Path) -> None:
    from_file = settings.load({}, file=file(tmp_path, '[jwt_keys]\nnew = "two"\nold = "one"\n'))
    from_environment = settings.load({"QIQUAN_JWT_KEYS": "new=two==,old=one"})
    assert list(from_file.jwt_keys.items()) == [("new", "two"), ("old", "one")]
    assert list(from_environment.jwt_keys.items()) == [("new", "two=="), ("old", "one")]


@pytest.mark.parametrize(
    ("environment", "text", "said"),
    [
        ({}, "prot = 1\n", "sets prot, which no setting is called"),
        ({"QIQUAN_PROT": "1"}, "", "sets QIQUAN_PROT, which no setting is called"),
        ({"QIQUAN_PORT": "many"}, "", "QIQUAN_PORT is 'many'; it must be a whole number."),
        ({"QIQUAN_PORT": "70000"}, "", "it must lie between 0 and 65535"),
        ({"QIQUAN_WORKERS": "0"}, "", "QIQUAN_WORKERS is 0; it must lie between 1 and"),
        ({"QIQUAN_DEMO_LOGIN": "perhaps"}, "", "it must be true or false"),
        ({"QIQUAN_DEMO_ANCHOR": "1 March"}, "", "it must be a day as in 2026-03-01"),
        ({"QIQUAN_MODE": "live"}, "", "it must be one of demo, test, production"),
        ({"QIQUAN_WECHAT_CALLBACK_MODE": "none"}, "", "it must be one of safe, compatible, plain"),
        ({"QIQUAN_WECHAT_TOKEN_ENDPOINT": "new"}, "", "it must be one of stable, classic"),
        ({}, "port = true\n", "it must be a whole number"),
        ({}, "host = 5\n", "it must be a text"),
        ({}, 'jwt_keys = "x"\n', "must give secrets by key id"),
        ({}, 'data_keys = "x"\n', "must give secrets by key id"),
        ({"QIQUAN_JWT_KEYS": "no-equals-sign"}, "", "must give secrets by key id"),
        ({}, "port = \n", "is not valid TOML"),
    ],
)
def test_a_wrong_setting_is_refused_with_one_sentence(
    environment: dict[str, str], text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.load(environment, file=file(tmp_path, text))
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        settings.load({}, file=tmp_path / "nowhere.toml")


def test_a_wrong_secret_is_never_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        settings.load({"QIQUAN_JWT_KEYS": "my-secret-without-id"})
    assert "my-secret" not in str(caught.value)


def test_production_accepts_a_chat_in_the_safe_mode() -> None:
    assert settings.refuse_unsafe(dataclasses.replace(SAFE, **CHAT)) == []


def test_production_accepts_safe_settings() -> None:
    assert settings.refuse_unsafe(SAFE) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"jwt_keys": {"a": LONG, "b": settings.DEMO_SECRET}}, "jwt_keys.b is a demo"),
        ({"jwt_keys": {"a": "k" * 31}}, "jwt_keys.a has 31 bytes"),
        ({"jwt_keys": {}}, "jwt_keys is empty"),
        ({"receipt_key": settings.DEMO_SECRET}, "receipt_key is a demo"),
        ({"receipt_key": "change-me"}, "receipt_key is a demo or example"),
        ({"data_keys": {"a": LONG, "b": settings.DEMO_SECRET}}, "data_keys.b is a demo"),
        ({"data_keys": {}}, "data_keys is empty"),
        ({"data_keys": {"a.b": LONG}}, "data_keys.a.b is no usable id"),
        ({"staff_totp_required": False}, "staff_totp_required is off"),
        ({"demo_login": True}, "demo_login is on"),
        ({"demo_clocks": True}, "demo_clocks is on"),
        ({"wechat_base_url": "http://127.0.0.1:9000"}, "http://127.0.0.1:9000, a stand-in"),
        ({"wechat_secret": ""}, "wechat_secret is empty"),
        ({"wechat_appid": ""}, "wechat_appid is empty"),
        ({"database_url": "sqlite://x.sqlite3", "workers": 2}, "workers is 2, but SQLite"),
        ({"wechat_callback_mode": "plain"}, "wechat_callback_mode is plain"),
        ({**CHAT, "wechat_callback_mode": "compatible"}, "wechat_callback_mode is compatible"),
        ({**CHAT, "wechat_callback_aes_key": ""}, "would arrive in the plain mode"),
        ({**CHAT, "wechat_callback_aes_key": "k" * 42 + "="}, "must be the 43 characters"),
        ({**CHAT, "wechat_callback_token": ""}, "wechat_callback_token must have 3 to 32"),
        ({**CHAT, "wechat_callback_token": "short"}, "wechat_callback_token has 5 characters"),
        ({**CHAT, "wechat_callback_token": "demoTokenOfTheChat"}, "wechat_callback_token is a demo"),
        ({**CHAT, "wechat_callback_aes_key": "demo" + "k" * 39}, "wechat_callback_aes_key is a demo"),
        ({"wechat_oa_appid": "wx2"}, "wechat_oa_secret is empty"),
        ({"sms_url": "http://sms.example", "sms_key": LONG}, "sms_url must begin with https://"),
        ({"sms_url": "https://sms.example", "sms_key": "k" * 31}, "sms_key has 31 bytes"),
    ],
)
def test_production_refuses_each_unsafe_setting_by_name(change: dict[str, object], named: str) -> None:
    faults = settings.refuse_unsafe(dataclasses.replace(SAFE, **change))
    assert [fault for fault in faults if named in fault]
    assert len(faults) == 1


def test_forgetting_everything_is_refused_because_the_default_is_production() -> None:
    assert "jwt_keys.demo is a demo or example secret: set one of your own." in settings.refuse_unsafe(
        Settings()
    )


def test_demo_accepts_demo_settings_but_not_two_processes_on_sqlite() -> None:
    demo = Settings(mode="demo", demo_login=True, demo_clocks=True, wechat_base_url="http://127.0.0.1:9000")
    assert settings.refuse_unsafe(demo) == []
    assert len(settings.refuse_unsafe(dataclasses.replace(demo, workers=2))) == 1


def test_secrets_stay_out_of_repr() -> None:
    shown = repr(dataclasses.replace(SAFE, database_url="postgres://u:hidden@h/d"))
    assert LONG not in shown
    assert "hidden" not in shown
    assert SAFE.wechat_secret not in shown


def test_the_example_file_names_every_setting_and_is_refused_in_production() -> None:
    path = Path(__file__).parents[2] / "config" / "server.example.toml"
    loaded = settings.load({}, file=path)
    named = {line.split("=")[0].strip() for line in path.read_text("utf-8").splitlines() if " = " in line}
    assert {field.name for field in dataclasses.fields(Settings)} - settings.KEYRINGS <= named
    faults = settings.refuse_unsafe(loaded)
    assert {"jwt_keys.2026a", "data_keys.2026a", "receipt_key"} <= {fault.split()[0] for fault in faults}
