"""What the pages say on which teachers settle answers."""

from types import MappingProxyType
from typing import Final

from api.pages.said import Said, Table

REVIEW: Final[Table] = MappingProxyType(
    {
        "review_title": Said("Waiting for review", "검토 대기", "採点待ち", "等待评阅"),
        "review_about": Said(
            "Answers that no rule can judge for sure, the oldest first.",
            "규칙만으로 채점할 수 없는 답안입니다. 오래된 것부터 표시합니다.",
            "規則だけでは採点できない解答です。古いものから順に並んでいます。",
            "无法仅凭规则评判的作答，最早的在前。",
        ),
        "nothing_waits": Said(
            "Nothing waits for review.",
            "검토할 답안이 없습니다.",
            "採点待ちの解答はありません。",
            "没有等待评阅的作答。",
        ),
        "all_waiting": Said("Show all", "모두 보기", "すべて表示", "显示全部"),
        "decided": Said(
            "The decision is kept.", "채점 결과를 저장했습니다.", "採点結果を保存しました。", "评分已保存。"
        ),
        "learner": Said("Learner", "학습자", "学習者", "学习者"),
        "assignment": Said("Assignment", "과제", "課題", "作业"),
        "handed_in": Said("Handed in", "제출 시각", "提出日時", "提交时间"),
        "points": Said("Points", "점수", "得点", "分数"),
        "most_points": Said("{value} at most", "만점 {value}점", "満点 {value}点", "满分 {value} 分"),
        "estimate": Said("Estimate of the rules", "규칙의 추정", "規則による推定", "规则估计"),
        "of_points": Said("{value} of {most}", "{value} / {most}", "{value} / {most}", "{value} / {most}"),
        "no_estimate": Said("none", "없음", "なし", "无"),
        "answer": Said("Answer", "답안", "解答", "作答"),
        "no_answer": Said("Nothing was answered.", "응답이 없습니다.", "無回答です。", "未作答。"),
        "reference": Said("Reference answer", "모범 답안", "模範解答", "参考答案"),
        "rubric": Said("Rubric", "채점 기준", "採点基準", "评分标准"),
        "accepted": Said("Accepted answers", "정답으로 인정되는 답", "正解とする解答", "可接受的答案"),
        "key": Said("Key", "정답", "正答", "答案"),
        "decide": Said("Settle", "채점하기", "採点する", "评分"),
        "decide_anew": Said("Replace the decision", "채점 결과 바꾸기", "採点結果を置き換える", "替换评分"),
        "comment": Said("Comment for the learner", "학습자에게 남길 의견", "学習者へのコメント", "给学习者的评语"),
        "comment_hint": Said(
            "May stay empty; {most} characters at most.",
            "비워 둘 수 있습니다. 최대 {most}자.",
            "空欄でもかまいません。{most}文字以内。",
            "可留空；最多 {most} 个字符。",
        ),
        "points_hint": Said(
            "From 0 to {most}, halves and the like too.",
            "0부터 {most}까지, 0.5점 등 소수도 가능합니다.",
            "0から{most}まで。0.5点などの小数も使えます。",
            "从 0 到 {most}，可用小数，如 0.5。",
        ),
        "held": Said("What holds now", "현재 결과", "現在の結果", "当前结果"),
        "held_said": Said(
            "{points} of {most}, decided {time}",
            "{most}점 만점에 {points}점, {time} 결정",
            "{most}点満点で{points}点、{time} に決定",
            "{points} / {most} 分，决定于 {time}",
        ),
        "decided_by": Said("by {who}", "결정자: {who}", "決定者：{who}", "决定者：{who}"),
        "correction_said": Said(
            "A correction changes the score alone; skills were learnt from the first decision.",
            "수정하면 점수만 바뀝니다. 실력은 첫 결정으로 이미 반영되었습니다.",
            "訂正で変わるのは得点だけです。スキルには最初の決定が反映されています。",
            "更正只改变分数；技能已按首次决定更新。",
        ),
        "ruled": Said(
            "The rules are sure of this answer, so it is not settled: {points} of {most}.",
            "규칙으로 확실히 채점된 답안이라 따로 채점하지 않습니다. {most}점 만점에 {points}점.",
            "規則で確実に採点された解答なので、人が採点することはありません。{most}点満点で{points}点。",
            "规则已确定此作答的得分，无需人工评分：{points} / {most} 分。",
        ),
        "unscored": Said(
            "It is not scored yet. Look again in a moment.",
            "아직 채점 전입니다. 잠시 후 다시 확인해 주세요.",
            "まだ採点前です。しばらくしてからもう一度ご覧ください。",
            "尚未评分，请稍后再看。",
        ),
        "cancelled": Said(
            "The submission is cancelled, so nothing in it can be settled.",
            "취소된 제출이라 채점할 수 없습니다.",
            "取り消された提出なので採点できません。",
            "该提交已取消，无法评分。",
        ),
        "not_kept": Said("Nothing was kept", "저장되지 않았습니다", "保存されませんでした", "未保存"),
        "typed_said": Said(
            "What you typed stands here, to be copied.",
            "입력한 내용입니다. 복사해 두세요.",
            "入力した内容です。コピーしておいてください。",
            "您输入的内容如下，可复制保存。",
        ),
        "problem_missing": Said(
            "How many points is it worth?", "점수를 입력해 주세요.", "得点を入力してください。", "请输入分数。"
        ),
        "problem_number": Said(
            "That is not a number. Write it like 3.5.",
            "숫자가 아닙니다. 3.5처럼 입력해 주세요.",
            "数値ではありません。3.5のように入力してください。",
            "这不是数字。请写成 3.5 这样。",
        ),
        "problem_range": Said(
            "From 0 to {most} points can be given.",
            "0점부터 {most}점까지 줄 수 있습니다.",
            "0点から{most}点までです。",
            "可给 0 到 {most} 分。",
        ),
        "problem_long": Said(
            "The comment has {count} characters; {most} fit.",
            "의견이 {count}자입니다. {most}자까지 쓸 수 있습니다.",
            "コメントが{count}文字あります。{most}文字までです。",
            "评语有 {count} 个字符，最多 {most} 个。",
        ),
        "problem_meanwhile": Said(
            "Somebody decided on this answer while you were reading. What holds now stands below; what you typed is"
            " kept in the form. Send it again to replace that decision.",
            "읽는 동안 다른 사람이 이 답안을 채점했습니다. 현재 결과는 아래에 있고, 입력한 내용은 그대로 남아 있습니다."
            " 다시 보내면 그 결과를 대신합니다.",
            "読んでいる間に、ほかの人がこの解答を採点しました。現在の結果は下にあり、入力した内容は残っています。"
            "もう一度送信すると、その採点に置き換わります。",
            "在您阅读期间，有人已为此作答评分。当前结果见下方，您输入的内容仍保留在表单中。再次提交将替换该评分。",
        ),
        "problem_stale": Said(
            "The page was entered anew since it was opened. Check what you typed and send it again.",
            "페이지를 연 뒤 다시 입장했습니다. 입력한 내용을 확인하고 다시 보내 주세요.",
            "ページを開いたあとで、入り直しています。入力した内容を確かめて、もう一度送信してください。",
            "打开此页后您已重新进入。请检查输入内容并再次提交。",
        ),
        "back_to_review": Said("Back to what waits", "대기 목록으로", "採点待ちの一覧に戻る", "返回等待列表"),
    }
)
