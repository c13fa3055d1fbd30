"""What must not stand in feedback at all: addresses to go to, code that reaches out, our own fences."""

import re
from typing import Final

from pipeline.prompting.reading import readings
from pipeline.prompting.sieve import Sieve

CODE_LINES: Final = 14
CODE_CHARS: Final = 800
"""More code than this explains nothing: it is an answer, or something that an answer asked for."""

_TLD: Final = (
    r"(?:com|org|net|edu|gov|mil|biz|xyz|online|site|shop|store|club|click|link|top|live|life|world|website|space|fun"
    r"|icu|vip|work|win|bid|loan|download|men|review|stream|trade|zip|mov|page|tech|info|io|co|me|tv|cc|ly|gg|app|dev"
    r"|ai|uk|de|fr|jp|cn|kr|ru|nl|eu|us|ca|au|br|in|it|es|ch|se|tw|hk|sg|server|onion|example)"
)
_STRONG_TLD: Final = r"(?:com|org|edu|gov|biz|xyz|online|site|shop|club|click|top|icu|vip|website|onion)"
_NO_MORE: Final = r"\b(?!\.[a-z]|\()"
# Names of namespaces and tools, which look like hosts.
_NO_HOST: Final = r"(?!(?:java|javax|system|asp|vb|ado|dot|ml|microsoft)\.net\b)"
# What may be of any length is looked for from one end only, the other end being one character: who begins to read at
# every place, and to the end of a word each time, reads a long word by the square of its length.
LINK: Final = re.compile(
    "|".join(
        (
            r"\b[a-z][a-z0-9+.-]{1,20}:/{2,}(?=\S)|\bhttps?\s?:\s?(?=[/\\\w])",
            (
                r"\b(?:javascript|vbscript|livescript)\s?:(?=\S)|\bdata:[\w-]+/|\b(?:file|blob|about|intent):(?=[/\w])"
                r"|\bmailto:|\b(?:tel|sms):\+?\d"
            ),
            r"\bwww\d?\s?\.\s?\w",
            r"[\w.+%-]@[\w-]+\.[\w-]",
            rf"[\w-][.｡。]{_STRONG_TLD}{_NO_MORE}",
            rf"(?:(?<![\w-]){_NO_HOST}|[\w-][.｡。])[\w-]+[.｡。]net{_NO_MORE}",
            (
                rf"[\w-]\.(?:{_TLD}|sh|to|pl|ws|st|at|be|cz|dk|fi|gr|hu|ie|il|ir|mx|no|nz|pt|ro|su|tr|ua"
                rf"|vn)(?::\d+)?/"
            ),
            rf"\w-* ?(?:\[\.\]|\(\.\)|\{{\.\}}|\[dot\]|\(dot\)| dot ) ?{_TLD}\b",
            rf"(?:^|[\s(\"'<\[])//[\w-]+(?:\.[\w-]+)*\.{_TLD}\b",
            r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5}|/[a-z])",
            (
                r"\b(?:go to|visit|open|download|click|sign up|register|log ?in)\b[^.!?\n]{0,40}"
                r"\b[\w-]{1,63}\.[a-z]{2,6}\b"
            ),
        )
    )
)

_FENCE: Final = re.compile(r"<{2}\s?(?:end\s)?[a-z]+\s[0-9a-z]{8,}\s?>{2}")

_REACHING: Final = (
    "subprocess", "os", "shutil", "socket", "requests", "urllib", "http", "httpx", "aiohttp", "ftplib", "smtplib",
    "paramiko", "telnetlib", "psutil", "bluetooth", "scapy", "usb", "pexpect", "ctypes", "winreg", "pyautogui",
    "pynput", "browser_cookie3", "selenium", "nmap", "child_process", "cryptography", "pybluez", "win32api",
    "webbrowser",
)  # fmt: skip
"""Modules for the network, files, processes and devices."""
_CALLED: Final = (
    "os.system", "os.popen", "os.remove", "os.unlink", "os.environ.get", "os.getenv", "popen", "eval", "exec", "fetch",
    "__import__", "shell_exec", "xmlhttprequest", "websocket", "getruntime", "processbuilder", "urlretrieve", "urlopen",
)  # fmt: skip
_RUN: Final = ("curl", "wget", "nc", "powershell", "certutil", "chmod", "rm", "dd", "mkfs", "ssh", "scp", "sudo")


def _any_of(words: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, words))


REACHING_CODE: Final = re.compile(
    rf"\bimport\s+(?:[\w.]+(?:\s+as\s+\w+)?,\s*)*(?P<imported>{_any_of(_REACHING)})\b"
    rf"|\bfrom\s+(?P<opened>{_any_of(_REACHING)})(?:\.\w+)*\s+import\b"
    rf"|\brequire\(\W?(?P<required>{_any_of(_REACHING)}|fs|net|https)\b"
    rf"|\b(?!os\.path\b)(?P<used>{_any_of(_REACHING)})\.[\w.]+\s?\("
    rf"|\b(?P<called>{_any_of(_CALLED)})\s?\("
    rf"|(?P<cookie>document\.cookie|localstorage|os\.environ)\b"
    rf"|(?:^|[\n;|&$(])\s{{0,9}}(?P<ran>{_any_of(_RUN)})\s+-{{0,2}}[\w./]"
)
_INSTALLING: Final = ("pip", "pip3", "pipx", "npm", "yarn", "gem", "brew", "apt", "apt-get", "choco", "winget", "conda")
_READING_CODE: Final = ("python", "python3", "perl", "ruby", "node", "php", "iex", "pwsh", "powershell", "cmd")
# Within a sentence, where a shell's words are also words of ours: what fetches, what is fed to an interpreter, and
# commands with options. A cell of a table, which has a bar on its other side too, is none of it.
COMMAND: Final = re.compile(
    rf"\b(?P<fetched>curl|wget)\s+(?:-{{1,2}}\w|\"?[\w-]+[./:]\w)"
    rf"|\b(?P<optioned>{_any_of(_RUN)})\s+-{{1,2}}\w|\b(?P<granted>chmod)\s+(?:\+|\d{{3}})|\b(?P<written>dd)\s+if="
    rf"|\b(?P<installed>{_any_of(_INSTALLING)})\s+(?:install|add|i)\s+[\w@.-]|\b(?P<tried>npx)\s+[\w@-]"
    rf"|\|\s*(?:sudo\s+)?(?P<piped>(?:ba|z|da|k)?sh)\b(?!\s*\|)"
    rf"|\|\s*(?:sudo\s+)?(?P<read>{_any_of(_READING_CODE)})\b(?=\s*(?:-|[;&)\"'.]|$|\n))"
    rf"|\b(?P<substituted>(?:ba|z|da|k)?sh|source|eval)\s+(?:-c\s+)?[\"']?(?:<|\$)\("
    rf"|\b(?P<expanded>invoke-expression|invoke-webrequest|downloadstring|downloadfile)\b|\b(?P<given>iex|iwr)\s?\("
    rf"|\b(?P<hosted>mshta|regsvr32|rundll32|bitsadmin)\s+[\w/-]"
)
_LINK_SIEVE: Final = Sieve([LINK])
_CODE_SIEVE: Final = Sieve([REACHING_CODE, COMMAND])
_BLOCK: Final = re.compile(r"(?:```|~~~)[^\n]*\n(.*?)(?:```|~~~|\Z)", re.DOTALL)


def leads_away(text: str) -> bool:
    """Whether it holds an address of the web or of mail, however it is written."""
    return any(_LINK_SIEVE.passes(reading) and LINK.search(reading) for reading in readings(text))


def imitates_fence(text: str) -> bool:
    """Whether it repeats the lines around data in our prompts."""
    return any(_FENCE.search(reading) for reading in readings(text))


def unfit_code(text: str, teaching: str) -> bool:
    """Whether it holds long code, or code for the network, files or processes that the teacher does not speak of."""
    blocks = _BLOCK.findall(text)
    if any(block.count("\n") > CODE_LINES or len(block) > CODE_CHARS for block in blocks):
        return True
    suspicious = [reading for reading in readings(text) if _CODE_SIEVE.passes(reading)]
    taught = "\n".join(readings(teaching)) if suspicious else ""
    return any(
        not any(name and _speaks_of(name, taught) for name in match.groups())
        for reading in suspicious
        for pattern in (REACHING_CODE, COMMAND)
        for match in pattern.finditer(reading)
    )


def _speaks_of(name: str, taught: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", taught) is not None
