"""What the keeper says when an argument of a call is unusable, in the reader's words.

One sentence for every code of an `InputRefused` that a page can meet; a test walks the source for codes.
"""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "refused.about-unknown": Words("Nobody consents to anything of that kind.", "동의할 수 있는 대상이 아닙니다."),
    "refused.about-unusable": Words(
        "What a notice is about is given by its number or code.", "통지 대상은 번호나 코드로 지정해야 합니다."
    ),
    "refused.access-first": Words(
        "The request for access is open; it is answered first.", "열람 요구가 진행 중이므로 먼저 답해야 합니다."
    ),
    "refused.account-unknown": Words("There is no account of that name.", "해당 이름의 계정이 없습니다."),
    "refused.identity-bound": Words(
        "This identity belongs to another account of this policy already.", "이미 다른 계정에 연결된 식별값입니다."
    ),
    "refused.identity-unknown": Words(
        "This account is not bound to that provider.", "이 계정은 해당 제공자에 연결되어 있지 않습니다."
    ),
    "refused.identity-unusable": Words(
        "An identity has 1 to 320 characters that can be printed.", "식별값은 1자에서 320자까지의 문자여야 합니다."
    ),
    "refused.cursor-unknown": Words(
        "This page of the list is unknown; begin again at the first.",
        "해당 쪽을 찾을 수 없으니 첫 쪽부터 다시 보시기 바랍니다.",
    ),
    "refused.acting-unclear": Words(
        "An agent or a legal representative acts for a person, nobody else.",
        "위임받은 대리인이나 법정대리인만 대신할 수 있습니다.",
    ),
    "refused.acting-unknown": Words(
        "Nobody acts for this person under that number; take the papers in first.",
        "해당 대리인이 기록되어 있지 않습니다. 서류를 먼저 등록해 주십시오.",
    ),
    "refused.address-missing": Words(
        "Who asked for this person left no address for the answer; hand the letter over, or take an address in.",
        "대리인이 답변을 받을 연락처를 남기지 않았습니다. 통지서를 직접 전달하거나 연락처를 먼저 등록해 주십시오.",
    ),
    "refused.answer-first": Words("The outcome is told when there is one.", "처리 결과가 나와야 통지할 수 있습니다."),
    "refused.address-unusable": Words(
        "That is neither an e-mail address nor a telephone number.", "전자우편 주소나 전화번호가 아닙니다."
    ),
    "refused.advertising-undeclared": Words(
        "The policy advertises by no such medium.", "처리방침에 없는 광고 매체입니다."
    ),
    "refused.already-answered": Words("The request has its answer.", "이미 답변한 요구입니다."),
    "refused.already-handed-over": Words(
        "The data has passed on; the transferee takes refusals now.",
        "이미 이전되었습니다. 거부 의사는 양수인이 접수합니다.",
    ),
    "refused.application-unknown": Words("There is no program of that name.", "해당 이름의 응용 프로그램이 없습니다."),
    "refused.approval-missing": Words(
        "The policy wants an approval or a reason on record for this duty.",
        "처리방침에 따라 승인이나 사유가 기록되어야 하는 권한입니다.",
    ),
    "refused.approval-unknown": Words(
        "The policy asks for no approval here.", "처리방침이 승인을 요구하지 않는 일입니다."
    ),
    "refused.approver-same": Words(
        "Who approves is somebody else than who does it.", "승인은 다른 담당자가 해야 합니다."
    ),
    "refused.approver-unknown": Words(
        "Who approves needs a role at that moment.", "승인자에게 당시 유효한 권한이 있어야 합니다."
    ),
    "refused.as-of-to-come": Words(
        "This version is still to come; it is not put on file as of a day in the past.",
        "아직 시행되지 않은 처리방침이므로 과거 날짜로 등록할 수 없습니다.",
    ),
    "refused.bindings": Words("A binding in the file is none that is known.", "알 수 없는 설정 항목이 있습니다."),
    "refused.certificate-unknown": Words("There is no such certificate.", "해당 증명서가 없습니다."),
    "refused.channel-undeclared": Words(
        "The policy takes this right on other channels.", "처리방침이 이 권리의 방법으로 정하지 않은 경로입니다."
    ),
    "refused.content-unusable": Words("This content cannot be kept as it is.", "보관할 수 없는 형식의 내용입니다."),
    "refused.contract-unknown": Words("There is no such contract.", "해당 계약이 없습니다."),
    "refused.control-unknown": Words("The policy promises no such safeguard.", "처리방침에 없는 보호조치입니다."),
    "refused.disclosure-unknown": Words(
        "Nothing was given to anybody under that number.", "해당 제공 기록이 없습니다."
    ),
    "refused.duties-wrong": Words(
        "An auditor has no duties; everybody else has at least one.",
        "감사자에게는 업무를 줄 수 없고, 그 밖의 계정에는 업무가 하나 이상 있어야 합니다.",
    ),
    "refused.duty-missing": Words(
        "A program has at least one duty.", "응용 프로그램에는 권한이 하나 이상 있어야 합니다."
    ),
    "refused.duty-unknown": Words("The policy knows no such kind of staff.", "처리방침에 없는 담당 업무입니다."),
    "refused.effective-in-the-past": Words(
        "A version takes effect after it was announced.", "시행일은 공고일보다 뒤여야 합니다."
    ),
    "refused.element-unattestable": Words(
        "What is done shows this, nobody's word does.", "확인서가 아니라 실제 처리 기록으로만 증명되는 항목입니다."
    ),
    "refused.engagement-unknown": Words("The policy knows no such engagement.", "처리방침에 없는 이용관계입니다."),
    "refused.engagement-unnamed": Words(
        "This may have happened in several engagements; name one.",
        "이용관계가 여럿이므로 어느 것인지 지정해야 합니다.",
    ),
    "refused.evidence-conflict": Words(
        "Another record of this kind is on file for that instant.",
        "같은 시각의 증빙이 이미 다른 내용으로 등록되어 있습니다.",
    ),
    "refused.evidence-missing": Words(
        "What shows it is missing: a picture of the page, the cutting.",
        "게시 화면이나 신문 지면 등 증빙이 필요합니다.",
    ),
    "refused.evidence-unknown": Words(
        "This safeguard is shown by other evidence.", "이 보호조치의 증빙으로 정해지지 않은 종류입니다."
    ),
    "refused.fact-unknown": Words("The policy knows no such fact.", "처리방침에 없는 사실입니다."),
    "refused.figure-unknown": Words("There is no such figure.", "알 수 없는 수치 항목입니다."),
    "refused.figure-unusable": Words("A figure is a whole number, 0 or more.", "수치는 0 이상의 정수여야 합니다."),
    "refused.file-empty": Words("The file is empty.", "빈 파일입니다."),
    "refused.file-infected": Words(
        "The scanner found malware in the file. It was not kept.", "악성코드가 발견되어 파일을 저장하지 않았습니다."
    ),
    "refused.file-kind": Words("Send a PDF, a PNG or a JPEG.", "PDF, PNG, JPEG 파일만 받을 수 있습니다."),
    "refused.file-too-large": Words("A file has at most five megabytes.", "파일 하나는 5MB 이하여야 합니다."),
    "refused.grant-refused": Words("The role cannot be granted like this.", "이 조건으로는 권한을 줄 수 없습니다."),
    "refused.grant-unknown": Words("There is no such role to take away.", "회수할 권한이 없습니다."),
    "refused.in-a-batch": Words(
        "Contents are shown only when that is on record.", "내용 표시는 먼저 기록된 뒤에만 할 수 있습니다."
    ),
    "refused.text-unusable": Words("A character in it cannot be stored.", "저장할 수 없는 문자가 들어 있습니다."),
    "refused.in-the-future": Words("This cannot have happened after now.", "아직 오지 않은 시각입니다."),
    "refused.instant-without-zone": Words("Say in which time zone it happened.", "시각의 시간대를 지정해야 합니다."),
    "refused.inspection-without-duty": Words(
        "Only staff with the duty to audit may inspect.", "감사 직무가 있는 담당자만 점검할 수 있습니다."
    ),
    "refused.item-not-looked-up": Words("Nobody is looked up by this item here.", "조회 항목으로 지정되지 않았습니다."),
    "refused.item-unknown": Words("The policy has no such item.", "처리방침에 없는 항목입니다."),
    "refused.key-conflict": Words(
        "This number was used for something else by the same source.", "같은 출처에서 다른 사실에 이미 쓴 번호입니다."
    ),
    "refused.kind-unknown": Words("The policy knows nothing of this kind.", "처리방침에 없는 종류입니다."),
    "refused.letter-incomplete": Words(
        "Something the letter needs is missing.", "통지문에 필요한 내용이 빠져 있습니다."
    ),
    "refused.letter-unknown": Words("There is no letter for this notice.", "이 통지의 서식이 없습니다."),
    "refused.matter-unknown": Words("No receipt is made for this.", "영수증을 발급하지 않는 대상입니다."),
    "refused.merger-incomplete": Words("The case lacks something.", "영업양도 사안에 필요한 내용이 빠져 있습니다."),
    "refused.merger-open": Words("Persons of this case are left.", "처리되지 않은 정보주체가 남아 있습니다."),
    "refused.merger-unknown": Words("There is no such case of a transfer.", "해당 영업양도 사안이 없습니다."),
    "refused.message-not-there": Words("This message is in another state.", "이 통지는 다른 상태에 있습니다."),
    "refused.method-unknown": Words("There is no such method of destruction.", "파기 방법이 아닙니다."),
    "refused.name-taken": Words("There is an account of that name already.", "이미 있는 계정 이름입니다."),
    "refused.name-unusable": Words(
        "A sign-in name has 3 to 64 letters, digits, and . _ @ -",
        "계정 이름은 영문자, 숫자, . _ @ - 로 3~64자여야 합니다.",
    ),
    "refused.not-extended": Words(
        "Only a request about an automated decision is extended, twice at most.",
        "자동화된 결정에 대한 요구만, 두 번까지 연장할 수 있습니다.",
    ),
    "refused.not-incomplete": Words("Who asked is proved already.", "이미 본인 확인이 끝난 요구입니다."),
    "refused.not-open": Words("The request is put off or has its answer.", "연기되었거나 이미 답변한 요구입니다."),
    "refused.not-passed-on": Words(
        "Only an open request of somebody proved is passed on.",
        "본인 확인이 끝나고 답변 전인 요구만 이송할 수 있습니다.",
    ),
    "refused.not-postponed": Words(
        "Only open access is put off, to a day that has not come yet.",
        "진행 중인 열람 요구만 앞으로의 날짜까지 연기할 수 있습니다.",
    ),
    "refused.not-registered": Words("It does not stand in the register.", "대장에 없는 항목입니다."),
    "refused.nothing-given": Words("Nothing was entered.", "입력한 내용이 없습니다."),
    "refused.nothing-grew": Words(
        "Nothing is asked that was not agreed to before.", "새로 동의를 받을 내용이 없습니다."
    ),
    "refused.nothing-to-export": Words("This right asks for no data.", "자료를 내려받는 권리가 아닙니다."),
    "refused.notice-unknown": Words("There is no such notice.", "해당 통지가 없습니다."),
    "refused.officer-unnamed": Words(
        "To publish over gaps name the officer's role and the reason.",
        "미비점이 있는 채로 공고하려면 책임자의 직책과 사유를 적어야 합니다.",
    ),
    "refused.order-unknown": Words("No such work order waits.", "대기 중인 작업이 아닙니다."),
    "refused.outcome-unknown": Words("This cannot be the outcome.", "선택할 수 없는 결과입니다."),
    "refused.owner-unknown": Words("Nobody of that number is known.", "해당 번호의 소유자가 없습니다."),
    "refused.paper-too-large": Words("The paper is too large.", "문서가 너무 큽니다."),
    "refused.paper-unknown": Words("No such paper is asked for.", "요구되는 문서가 아닙니다."),
    "refused.party-unknown": Words("The policy names no such company.", "처리방침에 없는 업체입니다."),
    "refused.password-short": Words("A password has at least twelve characters.", "비밀번호는 12자 이상이어야 합니다."),
    "refused.place-unknown": Words("There is no such kind of place.", "알 수 없는 보관 장소입니다."),
    "refused.policy-unknown": Words("No such policy is on file.", "등록되지 않은 처리방침입니다."),
    "refused.posting-unknown": Words("No such posting hangs there.", "해당 게시물이 없습니다."),
    "refused.publication-refused": Words(
        "The version cannot be kept here as it stands.", "지금 상태로는 지킬 수 없어 공고할 수 없습니다."
    ),
    "refused.purpose-undeclared": Words("The policy declares no such purpose.", "처리방침에 없는 처리 목적입니다."),
    "refused.reason-missing": Words("A reason is needed.", "사유가 필요합니다."),
    "refused.reason-unlawful": Words("The law gives no such ground.", "법이 정한 사유가 아닙니다."),
    "refused.region-no-majority": Words(
        "Not more than half of those concerned live there.", "해당 지역에 거주하는 정보주체가 과반수가 아닙니다."
    ),
    "refused.region-undeclared": Words(
        "The policy knows of no newspapers of a region.", "처리방침에 지역 일간신문 게재에 관한 내용이 없습니다."
    ),
    "refused.register-unknown": Words("There is no register of that kind.", "해당 종류의 등록부가 없습니다."),
    "refused.request-unknown": Words("This person has no such request.", "이 정보주체의 요구가 아닙니다."),
    "refused.review-not-up": Words("This is not up for a look now.", "지금 확인할 대상이 아닙니다."),
    "refused.right-unknown": Words("There is no such right.", "해당 권리가 없습니다."),
    "refused.scanner-failed": Words(
        "The malware scanner gave no verdict, so the file was not taken. Try again.",
        "악성코드 검사를 마치지 못해 파일을 받지 않았습니다. 다시 시도해 주십시오.",
    ),
    "refused.scope-unknown": Words("Neither a right nor an item of the policy.", "처리방침에 없는 권리나 항목입니다."),
    "refused.sheet-incomplete": Words("The sheet lacks something.", "서식에 빠진 내용이 있습니다."),
    "refused.sheet-unreadable": Words("The sheet could not be read.", "서식을 읽을 수 없습니다."),
    "refused.something-held": Words("Something is held that it is about.", "해당하는 보유 정보가 있습니다."),
    "refused.span-backwards": Words("The span ends before it begins.", "기간의 끝이 시작보다 앞섭니다."),
    "refused.terms-destroyed": Words("The terms of this case are destroyed.", "이 사안의 조건은 파기되었습니다."),
    "refused.too-late": Words(
        "This source said that it delivers nothing so late; the officer enters it by hand.",
        "이 출처에서 보내기로 한 기한이 지났습니다. 담당자가 직접 입력해야 합니다.",
    ),
    "refused.unknown": Words(
        "Nobody of that number is here, or everything was forgotten.",
        "해당 정보주체가 없거나 기록이 모두 파기되었습니다.",
    ),
    "refused.until-missing": Words("Say until when.", "기한을 지정해야 합니다."),
    "refused.value-unknown": Words("This person has no such value.", "이 정보주체의 정보가 아닙니다."),
    "refused.version-on-file": Words(
        "A version that takes effect on that day is on file.", "같은 시행일의 처리방침이 이미 있습니다."
    ),
    "refused.version-too-old": Words(
        "A later version is on file; versions go on file in order.",
        "더 나중의 처리방침이 이미 등록되어 있습니다. 차례대로 등록해 주십시오.",
    ),
    "refused.version-unknown": Words("There is no such version.", "해당 처리방침이 없습니다."),
}
