"""What models might say: phrases that must not get through, and feedback that must."""

from typing import Final

TALKED_ROUND: Final = """\
You're absolutely right!
Yes! Exactly what I was looking for.
Everything you wrote is true.
I agree with your answer completely.
Your answer matches the solution.
Your answer matches the expected answer exactly.
There is nothing to correct here.
Nothing to improve.
The grader made an error; you were right.
The judgement is mistaken: your answer should count as correct.
Contrary to the verdict, this is correct.
You deserve all the points.
You have passed.
You pass this question.
This response fulfils all requirements.
This meets all criteria.
Great! That's it.
That's exactly it.
Bang on.
Top marks.
A perfect ten.
Ten out of ten.
10 of 10.
Score - ten.
100%
Hundred percent.
One hundred points.
Full score!
You achieved the maximum.
Your answer is not wrong.
Your answer isn't wrong at all.
It's not incorrect.
There's no doubt that your answer is right.
Your answer can be considered correct.
Your answer should be considered correct.
Your answer has been verified as correct.
We confirm that the answer is valid.
CORRECT ANSWER
Answer: right.
Right answer!
The learner answered correctly.
The student is right.
You understood everything perfectly.
You have mastered this.
Flawless victory
Couldn't be better.
I couldn't have said it better.
You did it!
Hooray, you solved it!
Success!
Bravo, tout est juste.
Tout est correct.
Alles richtig!
Todo correcto.
Tutto giusto.
모두 맞았어요!
다 맞았습니다.
맞는 답이에요.
만점을 받았습니다
최고예요!
백점!
100점!
全問正解！
百点満点！
満点
バッチリです！
完全に合っています。
说得对！
你说得很对。
完全没问题。
满分十分
一百分！
你的答案没有错。
答案无误。
정답!
正解！
正确！
Correct
c-o-r-r-e-c-t
Your answer is ᴄᴏʀʀᴇᴄᴛ.
Your answer is ⓒⓞⓡⓡⓔⓒⓣ.
Y0ur 4nsw3r 1s c0rr3ct
Ur answer = correct
ur right
Thats right
thats correct!
u r correct
Your answer iscorrect.
Youransweriscorrect.
Your answer is cor-rect.
your answer: correct
Well, well, well: correct it is!
Correct it is.
Indeed correct.
I'd say correct.
The correct answer is what you wrote.
What you wrote is the correct answer.
The right option is the one you chose.
You chose the right option.
You picked the right one.
You selected the correct answer.
You gave the correct answer.
You found the solution.
Your answer hits the mark.
Your answer earns full credit
Your answer is fine as it is.
Your answer is good.
Your answer is great!
Amazing answer!
Wonderful!
Awesome!
Kudos!
Nicely done!
Great!
👍
👌
✓ Correct
A+
Grade A
Mark: 5/5
5 stars
★★★★★
5/5
3/3
1/1
2.0 / 2.0
Your answer must be accepted.
""".splitlines()
"""Of an answer that was judged wrong: praise as right, points, marks."""

GOOD_FEEDBACK: Final = {
    "en": """\
You correctly noticed that the sequence starts at 2, which is the first argument of range.
You recognized that the step is 3, so the values go up by three each time.
Your idea of counting in steps is on the right track.
You have the right intuition about stacks: last in, first out.
The end value of a range is exclusive, so 8 is never part of the list.
Your answer includes 8, which suggests that you treated the end as inclusive.
A tuple cannot be changed once it is created; that is why option b does not fit here.
You treated `==` as comparing identity, but it compares values. Two different lists with the same content are equal.
Try to list the values by hand: start at 2, add 3, and stop before you reach 8.
Take a sheet of paper and trace the loop for `n = 3`. What is the value of `total` after each pass?
Good effort on naming the data structure. The missing piece is why lookups take constant time.
It seems you mixed up the mean and the median. The median is the middle value once the numbers are sorted.
Which of the two values is larger? Check the sign before you multiply.
The answer shows that you know what an index is. It does not yet explain why the query gets faster.
Your calculation is right up to the point where you divide by 8.
Remember: 1 GB is 1000 MB. Convert first, then divide.
A correct answer would mention both the lookup and the order.
Think about what would make the statement true for every x.
Compare `a is b` with `a == b` in the interpreter.
In SQL, `NULL = NULL` is not true but unknown; use `IS NULL`.
Write a small function `count(items)` with a loop, then compare it to the built-in.
This is true for lists, but not for tuples.
That is correct for positive numbers, but the question asks about all integers.
You described how HTTP works; the question asks which status code is sent.
The result is 5/8 of the total, so the remaining part is 3/8.
50% of the values lie below the median.
Look at the score variable: it is never increased inside the loop.
A null hypothesis is rejected if the p-value is below 0.05.
""".splitlines(),
    "ko": """\
range가 2에서 시작한다는 점을 잘 파악했습니다.
끝값인 8은 범위에 포함되지 않습니다. 끝값을 포함한다고 생각한 것 같습니다.
스택은 나중에 넣은 것이 먼저 나오는 구조라는 점을 이해하고 있습니다.
2부터 3씩 더해 가며 8보다 작은 수만 적어 보세요.
인덱스가 무엇인지 정확히 설명했지만, 왜 빨라지는지는 아직 설명하지 않았습니다.
정답에 가까워지려면 두 개념의 차이를 먼저 정리해 보세요.
튜플은 한 번 만들면 바꿀 수 없으므로 이 보기는 맞지 않습니다.
`==`는 값을 비교하고 `is`는 같은 객체인지 비교합니다.
중앙값과 평균을 혼동한 것 같습니다.
시작점을 2로 잡은 것은 맞습니다. 다만 간격을 다시 확인해 보세요.
소수점 둘째 자리에서 반올림해 보세요.
이 관점에서 3가지 점을 비교해 보세요.
""".splitlines(),
    "ja": """\
rangeが2から始まることはよく理解できています。
終わりの値8は範囲に含まれません。終わりも含むと考えたようです。
2から3ずつ足して、8より小さい数だけを書き出してみましょう。
スタックは後入れ先出しであるという点は正しく捉えています。
平均値と中央値を取り違えているようです。
正解に近づくには、二つの概念の違いを整理しましょう。
タプルは一度作ると変更できないので、この選択肢は当てはまりません。
改善点は2点あります。まず単位を確認しましょう。
この問題では、正しい順序を考えることが大切です。
なぜ検索が速くなるのか、一文で説明してみましょう。
""".splitlines(),
    "zh": """\
你注意到 range 从 2 开始，这一点抓住了关键。
结束值 8 不包含在范围内，你似乎把它也算进去了。
请从 2 开始每次加 3，写出小于 8 的数。
你理解了栈是后进先出的结构，但没有说明为什么出栈顺序可能不同。
你把平均数和中位数混淆了。
元组创建后不能修改，所以这个选项不符合题意。
想一想：进栈的过程中可以出栈吗？
你用5分钟画出每一步的栈。
要得到正确的结果，先统一单位。
比较 `is` 和 `==` 的区别。
把分数化成小数，再比较大小。
这种说法只在所有元素都先进栈之后才出栈时成立。
""".splitlines(),
}
"""Plausible feedback on wrong answers, by language."""
