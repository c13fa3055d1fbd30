"""How it is said that an answer is right, or wrong, in several languages.

Patterns over `readings`, a sentence at a time. Each pattern is bounded, so that no text takes long. Most stop at a
negation; a claim on a part ("that …, up to …") is none on the answer.
"""

from typing import Final

from pipeline.prompting.phrase import phrases

_GAP: Final = r"(?:(?!\b(?:not|never|hardly|n't|no)\b|n't)[^.!?\n]){0,40}?"
_SURELY: Final = (
    r"(?:(?:absolutely|completely|fully|entirely|totally|perfectly|definitely|indeed|quite|very|really|all|also|in fact"
    r"|of course|certainly|clearly|factually|still|actually|just|simply|100 ?%|100 percent|the|a|an|as|considered"
    r"|marked|graded|judged|deemed|and|,|being|objectively|undoubtedly|wholly|in every way) ?){0,5}"
)
_BE: Final = r"(?:is|are|was|were|'s|'re|looks|seems|appears|remains|counts as|has been|have been)"
_ANSWER: Final = (
    r"(?:answers?|responses?|solutions?|submissions?|repl(?:y|ies)|attempts?|results?|choices?|selections?|picks?"
    r"|what you (?:wrote|said|answered|chose|picked|submitted)|essay|everything(?: here)?)"
)
_FULL: Final = (
    r"(?:perfect(?:ly)?|flawless|faultless|impeccable|exemplary|outstanding|superb|brilliant|excellent|exactly right"
    r"|spot[- ]on|error[- ]free|without (?:any )?(?:errors?|mistakes?|faults?)|100 ?% (?:correct|right)"
    r"|one hundred percent"
    r"|(?:completely|fully|entirely|totally|perfectly|absolutely|100 percent) (?:correct|right|accurate|true|valid))"
)
_RIGHT: Final = rf"(?:correct|right|accurate|true|valid|accepted|complete|on point|{_FULL})"
_NOT_OF_A_PART: Final = r"(?!(?:[- ]?(?:that|to|in|about|for|when|only|if|but|up to|as far|insofar|on)\b)|-|\w)"
_EXCLAIMED: Final = (
    r"(?:correct|right|perfect|exactly(?: right)?|excellent(?: work| job| answer)?|brilliant|bravo|well done|good job"
    r"|great (?:job|work|answer)|nice (?:job|work|answer)|good (?:work|answer)|spot[- ]on|congratulations|outstanding"
    r"|fantastic|superb|flawless|bingo|nailed it|you got it(?: right)?|very good|correct answer"
    r"|right answer|all correct"
    r"|pass(?:ed)?|approved|accepted|full marks)"
)

_PERFECT_EN: Final = (
    rf"\b{_ANSWER}\b{_GAP}{_BE} {_SURELY}{_FULL}(?!\w)",
    rf"\b(?:perfect|flawless|excellent|brilliant|outstanding|superb|exemplary|impeccable) (?:{_ANSWER}|work|job)\b",
    (
        r"\b(?:no|zero|without(?: any)?) (?:mistakes?|errors?|misconceptions?|faults?|flaws?)(?: (?:at all"
        r"|found|here|whatsoever))?"
    ),
    r"\bnothing (?:is |was )?(?:wrong|missing|to (?:improve|correct|add))\b",
)
_RIGHT_EN: Final = (
    rf"\b{_ANSWER}\b{_GAP}{_BE} {_SURELY}{_RIGHT}{_NOT_OF_A_PART}",
    rf"\b(?:it|this|that|these|those|you|he|she|they)(?: {_BE}|'s|'re) {_SURELY}{_RIGHT}{_NOT_OF_A_PART}",
    (
        r"\b(?:answered|solved|got (?:it|this|that|everything)|chose|chosen|did (?:it|this"
        r"|that))(?: \w+){0,3} (?:correctly|right|perfectly|flawlessly)\b"
    ),
    r"\b(?:correctly|rightly|perfectly) (?:answered|solved|chosen)\b",
    r"\byou (?:got|have got|nailed|aced) (?:it|this|that|everything)\b(?! wrong)",
    (
        r"\b(?:this|that|which|it|yours?|your \w+)(?: is|'s| was) (?:indeed |clearly |exactly )?(?:the"
        r"|a) (?:correct|right|valid) (?:one|answer|choice|option|solution)\b"
    ),
    (
        r"\b(?:verdict|outcome|judge?ment|status|result|grade|assessment|evaluation|is_?correct|correct"
        r"|accepted|answer)\b"
        r"[\"']?\s?[:=]\s?[\"']?(?:correct|right|pass(?:ed)?|true|yes|full|perfect|excellent|accepted|a\+)"
    ),
    (
        rf"^\W*(?:(?:yes|yep|that's|that is|this is|absolutely|totally|100 ?%|well|wow"
        rf"|your answer)\W+)*{_EXCLAIMED}(?=\W*$|[,!:;]|\s[—–-])"
    ),
    r"[✅✔☑✓👍👌🎉🏆🥇👏💯]",
    # "correct" said of nothing in particular; of a step, an idea or a part it may be said.
    (
        r"^(?:(?!\b(?:not|never|nearly|almost|partly|partially|half|would|if|whether|when|until|unless|how|why"
        r"|which|more"
        r"|less|be sure|make|step|part|point|idea|formula|definition|reasoning|unit|sign|term|concept|syntax|direction"
        r"|approach|beginning|observation|intuition|statement|that|no|only)\b|n't)[^!?\n]){0,80}\bcorrect\b"
        r"(?=\W*$|[.!,;:)\"'”]|(?:,? (?:it is|indeed|and|as it)\b))"
    ),
    (
        rf"\b(?:ur|youre|u r|u are|thats|(?:student|learner|user|person|candidate)(?: is|'s"
        rf"| was)) {_SURELY}{_RIGHT}{_NOT_OF_A_PART}"
    ),
    rf"\b{_ANSWER}\b{_GAP}(?:must|should|has to|ought to) be (?:accepted|counted|marked|graded)\b",
    rf"\b{_ANSWER}\b{_GAP}{_BE} {_SURELY}(?:good|great|fine|okay|ok|solid|amazing|wonderful|fantastic)\b",
    (
        r"\b(?:picked|selected|chose|chosen|gave|given|found|named|identified) (?:exactly )?the (?:right|correct|best) "
        r"(?:one|answer|option|choice|solution)\b|\bfound the (?:answer|solution)\b"
    ),
    (
        r"\bthe (?:correct|right) (?:answer|option|choice|one) is (?:exactly |indeed )?(?:what|the one|yours"
        r"|that which) ?(?:you\b)?"
    ),
    (
        rf"\b(?:{_ANSWER}|it|that|this|you)\b[^.!?\n]{{0,12}}(?:not|n't) (?:at all |in any way )?(?:wrong"
        rf"|incorrect|mistaken)\b"
    ),
    (
        r"\b(?:match(?:es)?|equals|agrees? with) (?:exactly )?(?:the |your )?(?:expected |model |sample "
        r"|reference |correct |right )?"
        r"(?:answer|solution)\b|\b(?:fulfil?ls?|meets?|satisf(?:y|ies)) (?:all|every)\b"
    ),
    (
        r"\b(?:you(?:'ve| have)? pass(?:ed)?|hits? the (?:mark|nail)|bang on|dead on|on the (?:money|nose)"
        r"|you did it|you solved it"
        r"|you (?:fully |completely )?(?:understood|understand|mastered|have mastered) (?:everything|it all"
        r"|all of (?:it|this)|this)"
        r"|could(?:n't| not) (?:be|have been|have said it|have put it|have done it|do it|do) (?:any )?better"
        r"|exactly what (?:i|we) (?:was|were|am|are)|that's (?:exactly )?it(?=[.!])|hooray|kudos|nicely done)\b"
    ),
    r"^\W*(?:success|great|awesome|amazing(?: answer)?|wonderful(?: answer)?|precisely|flawless \w+)\W*$",
    # Run together, as some are told to write.
    r"answer(?:is|was)(?!not|in|wrong)\w{0,12}(?:correct|right|perfect)|\bis(?:correct|right|perfect)\b",
)

_PERFECT_EASTERN: Final = (
    (
        r"완벽(?:합니다|해요|하네요|한 (?:답|풀이|해답))|(?:완전히|전부|모두|100 ?%) (?:맞|정확)|(?:오류"
        r"|틀린 (?:곳|부분|점))[가이은는]? (?:전혀 )?없"
    ),
    (
        r"完璧(?:です|な(?:解答|回答|答え))|(?:完全に|すべて|全て|全部)(?:正しい|正解|合って)|大正解|全問正解"
        r"|間違い(?:は|が)?(?:全く|まったく|一切)?(?:ありません|ない)"
    ),
    (
        r"(?:完全|全部|全都?|百分之百|100 ?%)(?:正确|对)|完美(?:的|地)?(?:回答|答案|解答|无缺|无瑕)"
        r"|没有任何?(?:错误|问题)|全对"
    ),
)
_PERFECT_OTHERS: Final = (
    r"\b(?:fehlerfrei|einwandfrei|völlig richtig|vollkommen richtig|keine fehler)\b",
    (
        r"\b(?:sin errores|totalmente correct[ao]|sans faute|parfaitement (?:juste|correcte?)|sem erros"
        r"|senza errori|zonder fouten)\b"
    ),
)
_RIGHT_EASTERN: Final = (
    # Korean
    r"다 맞|맞는 답|최고(?:예요|입니다|의 답)|[백만]점",
    (
        r"정답(?:입니다|이에요|이네요|이다|이며|이고|임|!|$|을 맞)|^\W*(?:네[,.]? |예[,.]? )?(?:맞습니다"
        r"|맞아요|맞았|정확합니다|정확해요|옳습니다|훌륭합니다|훌륭해요|완벽)"
    ),
    (
        r"(?:답|답안|답변|해답|풀이|응답|선택|모두|전부|전체)(?:(?!점은|부분은|것은"
        r"|까지는)[^.!?\n]){0,30}(?:맞습니다|맞아요|맞았|맞네요|맞다|옳습니다|옳아요|옳다|정확합니다|정확해요"
        r"|정확하다|올바릅니다|완벽|훌륭합니다)"
    ),
    (
        r"(?:올바른|옳은|맞는|훌륭한|정확한) (?:답|답안|답변|해답)(?:입니다|이에요|이네요|이다|!)"
        r"|(?:참 )?잘했(?:습니다|어요|네요)|잘 (?:풀었|답했)|맞혔|맞추셨|축하(?:합니다|해요|드)"
    ),
    # Japanese
    r"(?:バッチリ|ばっちり|完全に合|百点)",
    (
        r"正解(?:です|でした|だ|！|!|。|$|と(?:なり|言え|いえ))|正しい(?:です|でしょう|(?:解答|回答"
        r"|答え)(?:です|でした|だ)|。|！|!|$|と(?:言え|いえ)ます)"
    ),
    (
        r"(?:解答|回答|答え|答案|選択)(?:は|が|も)[^。！？!?\n]{0,16}(?:正しい|正解|正確|完璧|合って(?:います"
        r"|いる)|その通り)(?!(?:解答|回答|答え)?(?:では|じゃ|とは|かどうか|の?は))"
    ),
    (
        r"その(?:通|とお)り(?:です|！|!|。|$)|よくできました|素晴らしい(?:です|(?:解答|回答|答え))|お見事"
        r"|おめでとう|合っています(?!か)"
    ),
    # Chinese
    r"(?:你?说得|说的)(?:很|非常|完全|都)?对|完全没问题|(?:答案|回答)(?:是|完全)?(?:没有错|没错|无误)|一百分",
    (
        r"(?:答案|回答|解答|答得|选择|作答|答题)[^。！？!?\n不非未没尚否]{0,12}(?:正确|对的|对了|准确|完美"
        r"|满分|无误|优秀|没错|没有(?:错误|问题))(?!答案)"
    ),
    (
        r"^\W*(?:恭喜你?[，,！!]?)?(?:完全|非常|太|你)?(?:正确|对了|答对了|没错|完美|太棒了|优秀|出色)(?=\W|$)"
        r"|答对[了啦]|你(?:是|说得|答得)(?:完全)?对的?[，。！!]|(?:做|回答|答)得(?:很|非常|太)(?:好|棒)|恭喜"
    ),
)
_RIGHT_OTHERS: Final = (
    # Several languages
    (
        r"\b(?:tout est|alles|todo|tutto|tudo|всё|все|semua) (?:está |è |ist |is )?(?:correcte?|correcto|juste"
        r"|richtig|goed|giusto|certo|верно|правильно|benar)\b"
    ),
    # German, Dutch, Scandinavian
    (
        r"\b(?:antwort|lösung|antwoord|oplossing|svar\w*)\b(?:(?!\b(?:nicht|kein\w*|fast|teilweise|niet|bijna"
        r"|inte|ikke|nästan)\b)[^.!?\n]){0,40}\b(?:richtig|korrekt|perfekt|vollständig|juist|correct|goed|rätt"
        r"|riktigt?|rigtigt?)\b"
    ),
    (
        r"^\W*(?:richtig|korrekt|perfekt|genau|ausgezeichnet|sehr gut|gut gemacht|goed gedaan|helemaal goed"
        r"|juist|rätt|riktigt?)(?=\W*$|[,!:;])|\bdu hast recht\b(?!, dass)|\bje hebt gelijk\b(?! dat)"
    ),
    # Spanish, Portuguese, Italian, French, Romanian
    (
        r"\b(?:respuesta|solución|resposta|solução|risposta|soluzione|réponse|solution"
        r"|răspuns\w*)\b(?:(?!\b(?:no|não|non|pas|nu|casi|quase|quasi|presque|aproape|parcial\w*|parzial\w*"
        r"|partiel\w*)\b)[^.!?\n]){0,40}\b(?:correct[ao]?e?|perfect[ao]|acertad[ao]|corret[ao]|certa"
        r"|perfeit[ao]|corretta|giusta|perfetta|esatta|exacte?|juste|parfaite|bonne|excelente|eccellente"
        r"|excellente|corect)\b"
    ),
    (
        r"^\W*(?:correcto|perfecto|exacto|excelente|muy bien|bien hecho|correto|perfeito|exato|muito bem"
        r"|parabéns|corretto|perfetto|esatto|ottimo|bravissim[oa]|parfait|exact|très bien|bien joué"
        r"|félicitations|bonne réponse|felicidades|enhorabuena|corect)(?=\W*$|[,!:;])"
    ),
    # Russian, Polish, Czech
    (
        r"\b(?:ответ|решение|odpowiedź|odpověď)\b(?:(?!\b(?:не|почти|частично|nie|není|ne|prawie"
        r"|téměř)\b)[^.!?\n]){0,40}\b(?:верны?й?|верно|верен|правильн\w+|корректн\w+|идеальн\w+|безупречн\w+"
        r"|отличн\w+|poprawn\w+|prawidłow\w+|správn\w+)\b"
    ),
    (
        r"^\W*(?:верно|правильно|отлично|молодец|идеально|совершенно (?:верно|правильно)|всё верно|dobrze"
        r"|świetnie|správně)(?=\W*$|[,!:;])"
    ),
    # Indonesian, Vietnamese, Turkish, Finnish, Hungarian
    (
        r"\bjawaban\w*\b(?:(?!\b(?:tidak|belum|kurang|bukan|hampir)\b)[^.!?\n]){0,30}\b(?:benar|tepat"
        r"|sempurna)\b(?! adalah)|^\W*(?:benar|tepat sekali|sempurna|bagus sekali|hebat)(?=\W*$|[,!:;])"
    ),
    (
        r"(?:câu trả lời|đáp án|lời giải|bài làm)(?:(?!không|chưa|gần|sai)[^.!?\n]){0,30}(?:đúng|chính xác"
        r"|hoàn hảo)(?! (?:là|phải))|^\W*(?:đúng|chính xác|hoàn hảo|tuyệt vời|xuất sắc|làm tốt lắm)(?=\W*$"
        r"|[,!:;])"
    ),
    (
        r"\b(?:cevab\w*|yanıt\w*|çözüm\w*)\b(?:(?!neredeyse|kısmen)[^.!?\n]){0,30}\b(?:doğru\w*|kusursuz\w*"
        r"|mükemmel\w*)\b(?! (?:değil|cevap))|^\W*(?:doğru|mükemmel|tebrikler|aferin|harika)(?=\W*$|[,!:;])"
    ),
    r"\b(?:vastau\w*|válasz\w*)\b[^.!?\n]{0,30}\b(?:oikein|helyes)\b",
)

_WRONG_EASTERN: Final = (
    r"오답|틀렸|틀린 답|정답이 아|不正解|(?:解答|回答|答え)(?:は|が)[^。\n]{0,10}(?:間違|誤り|正しくあり|正しくない)",
    r"(?:答案|回答|解答)[^。！？\n]{0,8}(?:错误|错了|不正确|不对)|答错",
)
_WRONG: Final = (
    rf"\b{_ANSWER}\b[^.!?\n]{{0,25}}\b(?:is|was)(?: \w+)?(?: not|n't)? (?:wrong|incorrect|mistaken|false|invalid)\b",
    rf"\b{_ANSWER}\b[^.!?\n]{{0,25}}\b(?:is|was)(?: not|n't) (?:\w+ )?(?:correct|right|accurate|valid)\b",
    r"\b(?:you are|you're|that is|that's|this is|it is|it's) (?:\w+ )?(?:wrong|incorrect|not (?:correct|right))\b",
    (
        r"\b(?:antwort|respuesta|réponse|resposta|risposta)\b[^.!?\n]{0,25}\b(?:falsch|incorrect[ao]e?"
        r"|incorrecte|fausse|errada|sbagliata)\b"
    ),
)

PERFECT: Final = phrases((*_PERFECT_EN, *_PERFECT_OTHERS), _PERFECT_EASTERN)
"""Says that an answer is right in everything."""
RIGHT: Final = phrases((*_RIGHT_EN, *_RIGHT_OTHERS), _RIGHT_EASTERN)
"""Says that an answer as a whole is right."""
WRONG: Final = phrases(_WRONG, _WRONG_EASTERN)
"""Says that an answer as a whole is wrong."""
