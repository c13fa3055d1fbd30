"""What the teacher's pages say."""

from types import MappingProxyType
from typing import Final

from api.pages.said import Said, Table

TEACHER: Final[Table] = MappingProxyType(
    {
        "at_risk_title": Said("Who is falling behind", "뒤처지는 학습자", "遅れ始めている学習者", "谁在掉队"),
        "careers_title": Said("Career paths", "진로 과정", "キャリアパス", "职业路径"),
        "items_title": Said("How questions do", "문항 분석", "設問の分析", "题目分析"),
        "teacher_pages": Said("Teacher's pages", "교사용 페이지", "教員用ページ", "教师页面"),
        "groups": Said("Groups", "그룹", "グループ", "小组"),
        "everybody": Said("Everybody", "전체", "全員", "所有人"),
        "no_groups": Said(
            "There are no groups yet.", "아직 그룹이 없습니다.", "グループはまだありません。", "还没有小组。"
        ),
        "download": Said("Download as a table (CSV)", "표로 내려받기 (CSV)", "表として保存 (CSV)", "下载表格 (CSV)"),
        "next_part": Said("Next", "다음", "次へ", "下一页"),
        "first_part": Said("From the beginning", "처음부터", "最初から", "回到开头"),
        "as_of_now": Said(
            "As of now, {day} (UTC)", "현재 기준, {day} (UTC)", "現在 {day} (UTC)", "截至现在，{day} (UTC)"
        ),
        "as_of_night": Said("As of the night of {day}", "{day} 밤 기준", "{day} 夜の時点", "截至 {day} 夜间"),
        "learners": Said("Learners", "학습자", "学習者", "学习者"),
        "flagged": Said("At risk (0.6 and above)", "위험 (0.6 이상)", "要注意 (0.6以上)", "有风险（0.6 及以上）"),
        "share_flagged": Said("Share at risk", "위험 비율", "要注意の割合", "有风险的比例"),
        "score": Said("Risk", "위험도", "リスク", "风险"),
        "week_ago": Said("A week ago", "1주 전", "1週間前", "一周前"),
        "last_active": Said("Last active", "마지막 활동", "最終活動日", "最近活动"),
        "career": Said("Career path", "진로 과정", "キャリアパス", "职业路径"),
        "by_score": Said("Learners by risk", "위험도별 학습자 수", "リスク別の学習者数", "按风险划分的人数"),
        "by_score_said": Said(
            "{flagged} of {count} learners have a risk of 0.6 or more.",
            "학습자 {count}명 중 {flagged}명의 위험도가 0.6 이상입니다.",
            "学習者{count}人のうち{flagged}人のリスクが0.6以上です。",
            "{count} 名学习者中有 {flagged} 名风险达到 0.6 或以上。",
        ),
        "by_sign": Said("Learners by sign", "징후별 학습자 수", "兆候別の学習者数", "按征兆划分的人数"),
        "count_said": Said("{label}: {value}", "{label}: {value}", "{label}：{value}", "{label}：{value}"),
        "sign": Said("Sign", "징후", "兆候", "征兆"),
        "accuracy": Said("Mistakes", "낮은 정답률", "正答率が低い", "正确率低"),
        "inactivity": Said("Away", "학습 중단", "学習の中断", "中断学习"),
        "completion": Said("Behind", "낮은 진도", "進度が遅い", "进度落后"),
        "weaknesses": Said("Weak topics", "약점 많음", "苦手が多い", "薄弱主题多"),
        "accuracy_value": Said("{value} % right", "정답률 {value}%", "正答率{value}%", "正确率 {value}%"),
        "inactivity_value": Said(
            "{count} days away", "{count}일째 활동 없음", "{count}日間活動なし", "{count} 天未活动", one="1 day away"
        ),
        "completion_value": Said(
            "{value} % of the path mastered", "과정의 {value}% 완료", "パスの{value}%を習得", "已掌握路径的 {value}%"
        ),
        "weaknesses_value": Said(
            "{count} weak topics", "약한 주제 {count}개", "苦手分野{count}件", "{count} 个薄弱主题", one="1 weak topic"
        ),
        "never_value": Said("Never handed in", "제출 기록 없음", "提出なし", "从未提交"),
        "only_flagged": Said("Only learners at risk", "위험 학습자만", "要注意のみ", "仅显示有风险者"),
        "show_all": Said("Show everybody", "모두 보기", "全員を表示", "显示所有人"),
        "nobody": Said(
            "Nobody here is at risk.",
            "위험한 학습자가 없습니다.",
            "要注意の学習者はいません。",
            "这里没有人有风险。",
        ),
        "share": Said("Share", "비율", "割合", "占比"),
        "mean_progress": Said("Mean progress", "평균 진도", "平均進度", "平均进度"),
        "completed": Said("Completed", "완료", "修了", "已完成"),
        "active_7": Said("Active in 7 days", "최근 7일 활동", "7日以内に活動", "7 天内活跃"),
        "active_28": Said("Active in 28 days", "최근 28일 활동", "28日以内に活動", "28 天内活跃"),
        "furthest": Said("Furthest", "가장 앞선 학습자", "最も進んだ学習者", "进度领先者"),
        "no_goal": Said("No career path", "진로 없음", "パスなし", "无职业路径"),
        "by_career": Said("Learners by career path", "진로별 학습자 수", "パス別の学習者数", "各路径人数"),
        "progress_spread": Said("Learners by progress", "진도별 학습자 수", "進度別の学習者数", "按进度划分的人数"),
        "progress_unknown": Said(
            "It is not in the curriculum, so progress is not known.",
            "교육 과정에 없어 진도를 알 수 없습니다.",
            "カリキュラムにないため進度は不明です。",
            "不在课程中，进度未知。",
        ),
        "all_questions": Said("All questions", "모든 문항", "すべての設問", "所有题目"),
        "with_flag": Said("With a flag", "표시된 문항", "要確認の設問", "有标记的题目"),
        "module": Said("Module", "모듈", "モジュール", "模块"),
        "topic": Said("Topic", "주제", "トピック", "主题"),
        "sorted_by": Said("Order", "정렬", "並べ替え", "排序"),
        "by_id": Said("by name", "이름순", "名前順", "按名称"),
        "by_facility": Said("hardest first", "어려운 순", "難しい順", "最难优先"),
        "by_discrimination": Said("least discriminating first", "변별도 낮은 순", "識別力の低い順", "区分度低者优先"),
        "by_attempts": Said("most answered first", "응답 많은 순", "回答の多い順", "作答多者优先"),
        "question": Said("Question", "문항", "設問", "题目"),
        "facility": Said("Score at first try", "첫 시도 점수", "初回の得点率", "首次得分率"),
        "discrimination": Said("Discrimination", "변별도", "識別力", "区分度"),
        "discrimination_index": Said("Upper minus lower", "상·하위 차이", "上位と下位の差", "高低分组差"),
        "first_attempts": Said("First tries", "첫 시도", "初回の回答", "首次作答"),
        "attempts": Said("All answers", "전체 응답", "全回答", "全部作答"),
        "mean_time_ms": Said("Mean time", "평균 시간", "平均時間", "平均用时"),
        "seconds": Said("{value} s", "{value}초", "{value}秒", "{value} 秒"),
        "suspect_key": Said("Check the key", "정답 확인 필요", "正答を確認", "请检查答案"),
        "too_hard": Said("Too hard", "너무 어려움", "難しすぎる", "过难"),
        "too_easy": Said("Too easy", "너무 쉬움", "易しすぎる", "过易"),
        "low_discrimination": Said("Discriminates poorly", "변별도 낮음", "識別力が低い", "区分度低"),
        "not_analysed_yet": Said("not analysed yet", "아직 분석 전", "未分析", "尚未分析"),
        "no_scored_first_attempts": Said("no answers yet", "아직 응답 없음", "回答なし", "尚无作答"),
        "too_few_learners_with_other_answers": Said("too few answers yet", "응답 부족", "回答不足", "作答过少"),
        "all_scored_the_same": Said("all scored the same", "모두 같은 점수", "全員同じ得点", "得分全部相同"),
        "no_response_times": Said("no times known", "시간 정보 없음", "時間の記録なし", "无用时记录"),
        "map": Said("Difficulty and discrimination", "난이도와 변별도", "難易度と識別力", "难度与区分度"),
        "map_said": Said(
            "Each dot is a question on this page: right is easier, higher tells strong from weak learners better.",
            "점은 이 페이지의 문항입니다. 오른쪽일수록 쉽고, 위일수록 실력을 잘 가려냅니다.",
            "点はこのページの設問です。右ほど易しく、上ほど学力をよく見分けます。",
            "每个点是本页的一道题：越靠右越容易，越靠上区分度越好。",
        ),
        "choices": Said("Options at the first try", "첫 시도의 선택", "初回の選択", "首次作答的选项"),
        "option": Said("Option", "선택지", "選択肢", "选项"),
        "chosen": Said("Chosen", "선택 수", "選択数", "选择人数"),
        "upper": Said("Strongest 27 %", "상위 27%", "上位27%", "高分组 27%"),
        "lower": Said("Weakest 27 %", "하위 27%", "下位27%", "低分组 27%"),
        "is_key": Said("key", "정답", "正答", "答案"),
        "hardly_chosen": Said("hardly chosen", "거의 선택 안 됨", "ほぼ選ばれない", "几乎无人选"),
        "blank": Said("left blank", "무응답", "無回答", "未作答"),
        "computed_at": Said("Computed {time}", "{time} 계산", "{time} に計算", "计算于 {time}"),
        "compute_now": Said("Figures of this moment", "지금 계산한 값", "現時点の値", "当前数据"),
        "back": Said("Back to all questions", "모든 문항으로", "一覧に戻る", "返回所有题目"),
        "flags_explained": Said("What to look at", "살펴볼 점", "確認すること", "需要关注"),
        "nothing_fits": Said(
            "No question fits.", "해당하는 문항이 없습니다.", "該当する設問はありません。", "没有符合的题目。"
        ),
    }
)
