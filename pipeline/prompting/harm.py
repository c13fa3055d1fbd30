"""What must not stand in feedback at all: addresses to go to, code that reaches out, our own fences."""

import re
from typing import Final

from pipeline.prompting.reading import readings

CODE_LINES: Final = 14
CODE_CHARS: Final = 800
"""More code than this explains nothing: it is an answer, or something that an answer asked for."""

_TLD: Final = (
    r"(?:com|org|net|edu|gov|mil|biz|xyz|online|site|shop|store|club|click|link|top|live|life|world|website|space|fun"
    r"|icu|vip|work|win|bid|loan|download|men|review|stream|trade|zip|mov|page|tech|info|io|co|me|tv|cc|ly|gg|app|dev"
    r"|ai|uk|de|fr|jp|cn|kr|ru|nl|eu|us|ca|au|br|in|it|es|ch|se|tw|hk|sg|server|onion|example)"
)
_STRONG_TLD: Final = r"(?:com|org|net|edu|gov|biz|xyz|online|site|shop|club|click|top|icu|vip|website|onion)"
# Names of namespaces and tools, which look like hosts.
_NO_HOST: Final = r"(?!(?:java|javax|system|asp|vb|ado|dot|ml|microsoft)\.net\b)"
_LINK: Final = re.compile(
    "|".join(
        (
            r"\b[a-z][a-z0-9+.-]{1,20}:/{2,}(?=\S)|\bhttps?\s?:\s?(?=[/\\\w])",
            (
                r"\b(?:javascript|vbscript|livescript)\s?:(?=\S)|\bdata:[\w-]+/|\b(?:file|blob|about|intent):(?=[/\w])"
                r"|\bmailto:|\b(?:tel|sms):\+?\d"
            ),
            r"\bwww\d?\s?\.\s?\w",
            r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
            rf"\b{_NO_HOST}(?:[\w-]+[.｡。])+{_STRONG_TLD}\b(?!\.[a-z]|\()",
            rf"\b(?:[\w-]+\.)+{_TLD}(?::\d+)?/",
            rf"\b[\w-]+ ?(?:\[\.\]|\(\.\)|\{{\.\}}|\[dot\]|\(dot\)| dot ) ?{_TLD}\b",
            rf"(?:^|[\s(\"'<\[])//[\w-]+(?:\.[\w-]+)*\.{_TLD}\b",
            r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5}|/[a-z])",
            r"\b(?:go to|visit|open|download|click|sign up|register|log ?in)\b[^.!?\n]{0,40}\b[\w-]+\.[a-z]{2,6}\b",
        )
    )
)

_FENCE: Final = re.compile(r"<{2}\s?(?:end\s)?[a-z]+\s[0-9a-z]{8,}\s?>{2}")

_REACHING: Final = (
    "subprocess", "os.system", "os.popen", "os.environ", "os.getenv", "os.remove", "os.unlink", "shutil", "socket",
    "requests", "urllib", "http.client", "http.cookies", "http.cookiejar", "httpx", "aiohttp", "ftplib", "smtplib",
    "paramiko", "telnetlib", "psutil", "bluetooth", "scapy", "usb.core", "pexpect", "ctypes", "winreg", "pyautogui",
    "pynput", "keyboard", "browser_cookie3", "selenium", "telepathy", "nmap", "eval", "exec", "__import__", "fetch",
    "xmlhttprequest", "websocket", "document.cookie", "localstorage", "child_process", "runtime.getruntime",
    "processbuilder", "popen", "shell_exec", "cryptography", "curl", "wget", "powershell", "certutil", "netcat",
)  # fmt: skip
_REACHING_CALL: Final = re.compile(
    r"\b(?:import|from|require|use|using|include)\b[^\n]{0,60}?\b(?P<imported>"
    + "|".join(map(re.escape, _REACHING))
    + r")\b|\b(?P<called>"
    + "|".join(map(re.escape, _REACHING))
    + r")(?:\.\w+)*\s?\("
    + r"|(?:^|[\n;|&$`(])\s*(?:sudo )?(?P<ran>curl|wget|nc|powershell|certutil|chmod|rm|dd|mkfs|ssh|scp)\s+-?\S"
)
_BLOCK: Final = re.compile(r"(?:```|~~~)[^\n]*\n(.*?)(?:```|~~~|\Z)", re.DOTALL)


def leads_away(text: str) -> bool:
    """Whether it holds an address of the web or of mail, however it is written."""
    return any(_LINK.search(reading) for reading in readings(text))


def imitates_fence(text: str) -> bool:
    """Whether it repeats the lines around data in our prompts."""
    return any(_FENCE.search(reading) for reading in readings(text))


def unfit_code(text: str, teaching: str) -> bool:
    """Whether it holds long code, or code for the network, files or processes that the teacher does not speak of."""
    blocks = _BLOCK.findall(text)
    if any(block.count("\n") > CODE_LINES or len(block) > CODE_CHARS for block in blocks):
        return True
    taught = "\n".join(readings(teaching))
    return any(
        not any(name and name in taught for name in match.groups())
        for reading in readings(text)
        for match in _REACHING_CALL.finditer(reading)
    )
