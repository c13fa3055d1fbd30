"""What is said of a learner's week and of what to do next: a sentence for each code of `learning/finding.py`."""

from types import MappingProxyType
from typing import Final

from api.pages.said import Said, Table

REPORT: Final[Table] = MappingProxyType(
    {
        "say_nothing": Said(
            "No answers came in during this week.",
            "이 주에는 제출한 답안이 없습니다.",
            "この週は解答がありませんでした。",
            "这一周没有作答。",
        ),
        "say_answered": Said(
            "You answered {count} questions in about {minutes} minutes and got {correct} of them right.",
            "약 {minutes}분 동안 문제 {count}개를 풀어 {correct}개를 맞혔습니다.",
            "約{minutes}分で{count}問に取り組み、{correct}問正解しました。",
            "用约{minutes}分钟做了{count}道题，答对{correct}道。",
            one="You answered 1 question in about {minutes} minutes and got {correct} right.",
        ),
        "say_answered_untimed": Said(
            "You answered {count} questions and got {correct} of them right.",
            "문제 {count}개를 풀어 {correct}개를 맞혔습니다.",
            "{count}問に取り組み、{correct}問正解しました。",
            "做了{count}道题，答对{correct}道。",
            one="You answered 1 question and got {correct} right.",
        ),
        "say_accuracy": Said(
            "{accuracy} were right. There are too few answers to compare it with the week before.",
            "정답률은 {accuracy}입니다. 전주와 비교하기에는 답안이 아직 적습니다.",
            "正答率は{accuracy}でした。前の週と比べるには、まだ解答が足りません。",
            "正确率为{accuracy}。作答还太少，无法与前一周比较。",
        ),
        "say_accuracy_same": Said(
            "{accuracy} were right, as many as in the week before.",
            "정답률은 {accuracy}로 전주와 같습니다.",
            "正答率は{accuracy}で、前の週と変わりません。",
            "正确率为{accuracy}，与前一周持平。",
        ),
        "say_accuracy_up": Said(
            "{accuracy} were right, {points} percentage points more than in the week before ({before}).",
            "정답률은 {accuracy}로 전주({before})보다 {points}%p 올랐습니다.",
            "正答率は{accuracy}で、前の週（{before}）より{points}ポイント上がりました。",
            "正确率为{accuracy}，比前一周（{before}）提高了{points}个百分点。",
            one="{accuracy} were right, {points} percentage point more than in the week before ({before}).",
        ),
        "say_accuracy_down": Said(
            "{accuracy} were right, {points} percentage points fewer than in the week before ({before}).",
            "정답률은 {accuracy}로 전주({before})보다 {points}%p 내렸습니다.",
            "正答率は{accuracy}で、前の週（{before}）より{points}ポイント下がりました。",
            "正确率为{accuracy}，比前一周（{before}）下降了{points}个百分点。",
            one="{accuracy} were right, {points} percentage point fewer than in the week before ({before}).",
        ),
        "say_topic_up": Said(
            "You improved most in {topic}: {accuracy} right, {points} points more.",
            "가장 많이 나아진 주제는 ‘{topic}’입니다. 정답률 {accuracy}로 {points}%p 올랐습니다.",
            "最も伸びたのは「{topic}」です。正答率は{accuracy}、{points}ポイント上がりました。",
            "进步最大的是“{topic}”：正确率{accuracy}，提高了{points}个百分点。",
        ),
        "say_topic_down": Said(
            "{topic} went less well than before: {accuracy} right, {points} points fewer.",
            "‘{topic}’ 주제는 전주보다 어려웠습니다. 정답률 {accuracy}로 {points}%p 내렸습니다.",
            "「{topic}」は前の週より苦戦しました。正答率は{accuracy}、{points}ポイント下がりました。",
            "“{topic}”不如之前：正确率{accuracy}，下降了{points}个百分点。",
        ),
        "say_weekly_answers_met": Said(
            "You reached your goal of {count} answers: it was {reached}.",
            "목표한 답안 {count}개를 달성했습니다. 모두 {reached}개를 풀었습니다.",
            "目標の{count}問を達成しました。取り組んだのは{reached}問です。",
            "达到了{count}道题的目标：共做了{reached}道。",
            one="You reached your goal of 1 answer: it was {reached}.",
        ),
        "say_weekly_answers_missed": Said(
            "Of the {count} answers you had planned, {reached} came in.",
            "목표한 답안 {count}개 가운데 {reached}개를 풀었습니다.",
            "目標の{count}問のうち、{reached}問に取り組みました。",
            "计划做{count}道题，完成了{reached}道。",
            one="The answer you had planned did not come in.",
        ),
        "say_weekly_answers_open": Said(
            "Of the {count} answers planned for this week, {reached} are done so far.",
            "이번 주 목표 {count}개 가운데 지금까지 {reached}개를 풀었습니다.",
            "今週の目標{count}問のうち、これまでに{reached}問に取り組みました。",
            "本周计划做{count}道题，目前完成了{reached}道。",
            one="The answer planned for this week is still to come.",
        ),
        "say_weekly_minutes_met": Said(
            "You reached your goal of {count} minutes: it was {reached}.",
            "목표한 {count}분을 달성했습니다. 모두 {reached}분 공부했습니다.",
            "目標の{count}分を達成しました。学習時間は{reached}分です。",
            "达到了{count}分钟的目标：共学习{reached}分钟。",
            one="You reached your goal of 1 minute: it was {reached}.",
        ),
        "say_weekly_minutes_missed": Said(
            "Of the {count} minutes you had planned, it was {reached}.",
            "목표한 {count}분 가운데 {reached}분 공부했습니다.",
            "目標の{count}分のうち、{reached}分学習しました。",
            "计划学习{count}分钟，完成了{reached}分钟。",
            one="Of the 1 minute you had planned, it was {reached}.",
        ),
        "say_weekly_minutes_open": Said(
            "Of the {count} minutes planned for this week, {reached} are done so far.",
            "이번 주 목표 {count}분 가운데 지금까지 {reached}분 공부했습니다.",
            "今週の目標{count}分のうち、これまでに{reached}分学習しました。",
            "本周计划学习{count}分钟，目前完成了{reached}分钟。",
            one="Of the 1 minute planned for this week, {reached} is done so far.",
        ),
        "say_peak": Said(
            "You were busiest between {from_hour}:00 and {to_hour}:00, with {share} of your answers.",
            "가장 활발한 시간은 {from_hour}시~{to_hour}시로, 답안의 {share}가 이때 나왔습니다.",
            "最も活発だったのは{from_hour}時から{to_hour}時で、解答の{share}がこの時間でした。",
            "最活跃的时间是{from_hour}点到{to_hour}点，占作答的{share}。",
        ),
        "say_session_best": Said(
            "In the last two weeks, sessions of {from_minutes} to {to_minutes} minutes went best: {accuracy} right.",
            "지난 2주 동안 한 번에 {from_minutes}~{to_minutes}분 공부할 때 가장 잘했습니다. 정답률 {accuracy}.",
            "この2週間では、1回{from_minutes}〜{to_minutes}分の学習が最もうまくいきました。正答率は{accuracy}です。",
            "最近两周，每次学习{from_minutes}到{to_minutes}分钟时效果最好：正确率{accuracy}。",
        ),
        "say_session_best_short": Said(
            "In the last two weeks, sessions of less than {to_minutes} minutes went best: {accuracy} right.",
            "지난 2주 동안 한 번에 {to_minutes}분 미만으로 공부할 때 가장 잘했습니다. 정답률 {accuracy}.",
            "この2週間では、1回{to_minutes}分未満の学習が最もうまくいきました。正答率は{accuracy}です。",
            "最近两周，每次学习不到{to_minutes}分钟时效果最好：正确率{accuracy}。",
        ),
        "say_session_best_long": Said(
            "In the last two weeks, sessions of {from_minutes} minutes and more went best: {accuracy} right.",
            "지난 2주 동안 한 번에 {from_minutes}분 이상 공부할 때 가장 잘했습니다. 정답률 {accuracy}.",
            "この2週間では、1回{from_minutes}分以上の学習が最もうまくいきました。正答率は{accuracy}です。",
            "最近两周，每次学习{from_minutes}分钟以上时效果最好：正确率{accuracy}。",
        ),
        "say_session_even": Said(
            "How long you worked in one go made no difference to how much was right.",
            "한 번에 공부한 시간은 정답률에 영향을 주지 않았습니다.",
            "1回の学習時間による正答率の違いはありませんでした。",
            "每次学习的时长对正确率没有影响。",
        ),
        "say_session_unknown": Said(
            "It takes more sessions to tell which length suits you best.",
            "어느 정도 길이로 공부하는 것이 좋은지 알려면 기록이 더 필요합니다.",
            "どのくらいの長さの学習が合うかを知るには、もう少し記録が必要です。",
            "还需要更多学习记录，才能知道多长的学习最适合你。",
        ),
        "say_active": Said(
            "You worked on {count} of {days} days.",
            "{days}일 가운데 {count}일 공부했습니다.",
            "{days}日のうち{count}日学習しました。",
            "{days}天中有{count}天在学习。",
        ),
        "say_active_evenly": Said(
            "You worked on {count} of {days} days, evenly spread.",
            "{days}일 가운데 {count}일을 고르게 공부했습니다.",
            "{days}日のうち{count}日、むらなく学習しました。",
            "{days}天中有{count}天在学习，而且安排均匀。",
        ),
        "say_streak": Said(
            "That made {count} days in a row.",
            "{count}일 연속으로 공부했습니다.",
            "{count}日連続で学習しました。",
            "已连续学习{count}天。",
        ),
        "say_review": Said(
            "Review {topic}: today is a good day for it.",
            "‘{topic}’ 주제를 복습하세요. 오늘이 복습하기 좋은 날입니다.",
            "「{topic}」を復習しましょう。今日がちょうどよい時期です。",
            "复习“{topic}”：今天正是时候。",
        ),
        "say_review_overdue": Said(
            "Review {topic}, which has been due for {count} days.",
            "‘{topic}’ 주제를 복습하세요. 복습할 때가 {count}일 지났습니다.",
            "「{topic}」を復習しましょう。予定から{count}日過ぎています。",
            "复习“{topic}”：已逾期{count}天。",
            one="Review {topic}, which has been due since yesterday.",
        ),
        "say_practise": Said(
            "Practise {topic}, where answers went wrong lately.",
            "최근에 틀린 답이 있었던 ‘{topic}’ 주제를 연습하세요.",
            "最近間違えた「{topic}」を練習しましょう。",
            "练习最近出过错的“{topic}”。",
        ),
        "say_questions": Said(
            "Answer the {count} questions picked for you: {topics}.",
            "추천 문제 {count}개를 풀어 보세요: {topics}.",
            "おすすめの{count}問に取り組みましょう：{topics}。",
            "做一做为你挑选的{count}道题：{topics}。",
            one="Answer the question picked for you: {topics}.",
        ),
        "say_module": Said(
            "Go on with the module {title}.",
            "‘{title}’ 모듈을 이어서 공부하세요.",
            "モジュール「{title}」に進みましょう。",
            "继续学习模块“{title}”。",
        ),
    }
)
