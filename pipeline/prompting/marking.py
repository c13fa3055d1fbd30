"""How it is said what an answer is worth, in several languages: patterns over `readings`, a sentence at a time."""

import re
from typing import Final

from pipeline.prompting.phrase import phrases

_MARKS: Final = (
    r"(?:points?|pts|marks?|credits?|grades?|scores?|punkte?|puntos?|pontos?|punti|punten|puan|poin|điểm"
    r"|балл\w*|очк\w*)"
)
_POINTS_EASTERN: Final = (
    r"만점|\d ?점(?:을|만|짜리|입니다|이에요|이고|으로|!|\.|,|$)|(?:점수|득점|채점)[^.!?\n]{0,12}\d",
    (
        r"満点|\d ?点(?: ?/|です|でした|を(?:獲得|取|付|つけ|与え|差し上げ)|獲得|中|!|！|。|$)"
        r"|(?:得点|点数|採点|評点)[^。\n]{0,8}\d"
    ),
    (
        r"[满滿]分|\d ?分(?![钟鐘之支类類别別布析割隔解母子配行组組段位号米贝])|(?:得分|评分|打分"
        r"|分数|成绩)[^。\n]{0,6}\d|[给加扣]\d+分|给[高低满]分"
    ),
    r"💯|[⭐🌟★]{3,}",
)
_POINTS: Final = (
    (
        r"\b(?:full|maximum|max|top|highest|perfect|total|extra|bonus|partial|half|no|zero) (?:marks?|credits?"
        r"|points?|scores?|grades?)\b"
    ),
    (
        rf"\b(?:award|give|giving|grant|assign|deserve|earn|merit|receive|get|got|gain|lose|deduct|worth"
        rf"|add)\w*\b[^.!?\n]{{0,30}}\b\d+(?:[.,]\d+)? ?(?:/ ?\d+ ?)?{_MARKS}\b"
    ),
    (
        r"\b(?:score|scored|scores|grade|graded|rating|rated|nota|voto|nilai|оценка|cijfer)\b[\"']?\W{0,3}"
        r"(?:is|are|of|at|=|:|as|it)?\W{0,4}(?:\d|(?:ten|five|three|hundred|maximum|full|perfect)\b)"
    ),
    (
        r"\b(?:points?|marks?|note|stars?)\b[\"']? ?[:=] ?\d|\b(?:5|five) stars\b|\ball (?:of )?(?:the "
        r"|your )?(?:points|marks|credit)\b"
    ),
    r"\b(?P<word>ten|five|three|four|two|one|twenty|hundred) ?(?:out of|of|/) ?(?P=word)\b|\ba perfect ten\b",
    r"\b(?:ten|twenty|hundred|100) (?:points|marks)\b|^\W*(?P<same>\d+(?:[.,]\d+)?) ?/ ?(?P=same)\W*$",
    r"^\W*(?:100 ?%|(?:one |a )?hundred percent)\W*$|\b(?:achieved|earned|scored) the (?:maximum|highest|top)\b",
    r"\bgrade\W{0,3}(?:is|of|:|=|an?)?\W{0,3}[a-f][+-]?(?!\w)|(?<![\w+])a\+(?=\W*$|[ ,]*(?:grade|work|answer|for))",
    (
        r"(?<![\d./])(?P<all>5|10|20|25|50|100) ?(?:/|out of|of|von|sur|de|su|van|из|dari|満点中"
        r"|点満点中) ?(?P=all)(?![\d/])"
    ),
    rf"\b\d+(?:[.,]\d+)? ?(?:/|out of|von|sur|de|su|van|из|dari) ?\d+ ?{_MARKS}\b",
    r"\b\d{1,3} ?(?:%|percent) (?:correct|right|accurate|complete|of the (?:points|marks))\b",
    (
        r"\b(?:answer|response|solution|submission|you)\b[^.!?\n]{0,20}\b(?:gets?|got|scores?|receives?"
        r"|earns?) (?:\w+ )?\d{1,3} ?%"
    ),
    (
        r"volle punktzahl|puntuación máxima|note maximale|nota máxima|punteggio (?:pieno|massimo)"
        r"|maximale score|максимальн\w+ (?:балл|оценк)"
    ),
)

OWN_MATTER: Final = re.compile(r"\b(?:points?|pts|marks?|scores?|grades?|credits?)\b|점|点|點|分|punkt|punto|балл")
"""Where a question is about such things itself: points on a line, a variable called score."""

POINTS: Final = phrases(_POINTS, _POINTS_EASTERN)
"""Says what an answer is worth."""
COUNTED: Final = re.compile(rf"\b\d+(?:[.,]\d+)? ?{_MARKS}\b")
"""Counts points, marks or the like, which a question may be about."""
