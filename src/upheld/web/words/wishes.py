"""Words of what a person asks, follows and takes back."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "mine.manage": Words("Agree or take back", "동의·철회하기"),
    "ask.title": Words("Ask for something", "권리 행사하기"),
    "ask.lead": Words(
        "It costs nothing. The deadline for the answer runs from now.",
        "비용은 들지 않습니다. 답변 기한은 지금부터 계산됩니다.",
    ),
    "ask.what": Words("What you ask", "요구하는 권리"),
    "ask.items": Words("Which data", "대상 항목"),
    "ask.items-hint": Words("Tick none for all of it.", "선택하지 않으면 전체가 대상입니다."),
    "ask.purposes": Words("Which uses are to stop", "처리를 멈출 목적"),
    "ask.purposes-hint": Words(
        "Only where you ask us to stop. Tick none for every use.",
        "처리정지를 요구할 때만 고르십시오. 선택하지 않으면 모든 처리를 멈춥니다.",
    ),
    "ask.ends": Words("What ends with an erasure", "삭제와 함께 끝나는 서비스"),
    "ask.ends-hint": Words(
        "Without all of your data this cannot go on: {what}. What it needs stays until it ends.",
        "개인정보를 모두 삭제하면 다음은 계속할 수 없습니다: {what}. 끝날 때까지 필요한 정보는 남습니다.",
    ),
    "ask.ends-too": Words(
        "End what cannot go on without the data I have erased.",
        "삭제하면 계속 이용할 수 없는 서비스도 함께 종료합니다.",
    ),
    "ask.words": Words("In your own words", "전하실 말씀"),
    "ask.words-hint": Words(
        "What is wrong and what is right, or what we should know. You may leave it empty.",
        "틀린 내용과 바른 내용, 알려 주실 사정을 적어 주십시오. 비워 두셔도 됩니다.",
    ),
    "ask.send": Words("Send", "보내기"),
    "ask.elsewhere": Words(
        "{right} is asked by: {channels}.", "{right}: 다음 방법으로 요구하실 수 있습니다. {channels}."
    ),
    "right.access": Words("See what we hold on you.", "보유 중인 개인정보를 봅니다."),
    "right.rectification": Words(
        "Have it put right. Until then it is not used.", "잘못된 내용을 고칩니다. 고칠 때까지 이용하지 않습니다."
    ),
    "right.erasure": Words(
        "Have it destroyed. What a law keeps is kept apart, and you are told.",
        "파기합니다. 법령에 따라 남겨야 하는 것은 따로 보관하고 알려 드립니다.",
    ),
    "right.suspension": Words(
        "We keep it but do not use it until you say so.", "보관만 하고, 다시 말씀하실 때까지 이용하지 않습니다."
    ),
    "right.withdrawal": Words(
        "Take back everything you agreed to. For one matter use the page of consents.",
        "동의한 사항을 모두 철회합니다. 하나씩 철회하려면 동의 관리 화면을 이용하십시오.",
    ),
    "right.portability": Words("Get a copy that programs can read.", "다른 곳에서 쓸 수 있는 파일로 받습니다."),
    "right.source": Words("Learn where we have it from.", "어디에서 수집했는지 알려 드립니다."),
    "right.automated-decision": Words(
        "Have a decision made by a program explained or looked at by a person.",
        "자동화된 결정의 설명을 듣거나 사람이 다시 보도록 합니다.",
    ),
    "right-name.automated-decision": Words("Automated decision", "자동화된 결정에 대한 권리"),
    "right.objection": Words(
        "Have an answer looked at again by somebody else.", "받은 답을 다른 담당자가 다시 검토합니다."
    ),
    # ── following it ──
    "follow.received": Words(
        "It has come in. We begin as soon as we know that it is you.",
        "접수되었습니다. 본인 확인이 되면 처리를 시작합니다.",
    ),
    "follow.to-be-completed": Words(
        "Something is missing. Send it, and we go on; the deadline runs on.",
        "보완할 것이 있습니다. 보내 주시면 이어서 처리합니다. 답변 기한은 그대로입니다.",
    ),
    "follow.open": Words("We know that it is you and are working on it.", "본인 확인을 마쳤고 처리하고 있습니다."),
    "follow.postponed": Words(
        "It is put off for a reason that the law allows, until the day below.",
        "법이 정한 사유로 아래 날짜까지 미루어졌습니다.",
    ),
    "follow.done": Words("It is done.", "요구하신 대로 처리했습니다."),
    "follow.partly": Words(
        "Part of it is done; the reason stands below.", "일부를 처리했습니다. 이유는 아래와 같습니다."
    ),
    "follow.refused": Words(
        "It was refused; the reason stands below. You may object.",
        "들어 드리지 못했습니다. 이유는 아래와 같으며, 이의를 제기하실 수 있습니다.",
    ),
    "follow.not-identified": Words(
        "We could not make sure that it is you, so nothing was done.", "본인인지 확인하지 못해 처리하지 않았습니다."
    ),
    "follow.nothing-held": Words("We hold nothing of the kind.", "해당하는 정보를 보유하고 있지 않습니다."),
    "follow.taken-back": Words("You took it back.", "요구를 철회하셨습니다."),
    "follow.gone": Words(
        "What nothing has us keep is destroyed and does not come back.",
        "보존할 근거가 없는 정보를 모두 파기했으며 되살릴 수 없습니다.",
    ),
    "follow.going": Words(
        "What nothing has us keep is being destroyed. Nobody can use it any more.",
        "보존할 근거가 없는 정보를 파기하고 있습니다. 이제 아무도 이용할 수 없습니다.",
    ),
    "follow.left": Words("{days} days left", "{days}일 남음"),
    "follow.late": Words("The day has passed without an answer.", "기한이 지났으나 아직 답변하지 않았습니다."),
    "follow.until": Words("Put off until", "연기한 날짜"),
    "follow.unproved": Words("not shown yet", "아직 확인되지 않음"),
    "follow.prove": Words("Show that it is you", "본인 확인"),
    "follow.prove-lead": Words(
        "Show on your page that a second address is yours, or send a paper.",
        "내 개인정보 화면에서 연락처를 하나 더 확인하시거나 서류를 보내 주십시오.",
    ),
    "follow.prove-now": Words("Use the addresses that I showed", "확인된 연락처로 본인 확인"),
    "follow.papers": Words("A paper", "서류"),
    "follow.send-papers": Words("Send the paper", "서류 보내기"),
    "follow.papers-sent": Words("Your paper has come in.", "서류를 받았습니다."),
    "follow.papers-held": Words("{count} papers of yours wait to be checked.", "확인을 기다리는 서류: {count}건."),
    "follow.no-file": Words("Choose a file.", "파일을 골라 주십시오."),
    "follow.too-many-files": Words("So many papers are not needed.", "서류가 너무 많습니다."),
    "follow.not-enough": Words(
        "The policy asks for another proof; send it as a paper.", "다른 증빙이 필요합니다. 서류로 보내 주십시오."
    ),
    "follow.copy": Words("Your copy", "내 정보 받기"),
    "follow.download": Words("Download (JSON)", "내려받기 (JSON)"),
    "follow.take-back": Words("Take this request back", "요구 철회"),
    "follow.lift": Words("You may use it again", "처리정지 풀기"),
    "follow.object": Words("Object", "이의 제기"),
    "file.destroyed": Words(
        "It is encrypted and destroyed when it has been checked.", "암호화하여 보관하고 확인 후 파기합니다."
    ),
    # ── for somebody else ──
    "another.title": Words("Ask for somebody else", "대리인으로 요구하기"),
    "another.lead": Words(
        "As an agent with a power of attorney, or as a legal representative. Nothing is done before we have checked "
        "your papers.",
        "위임받은 대리인이나 법정대리인으로서 요구하실 수 있습니다. 서류를 확인하기 전에는 아무것도 처리하지 않습니다.",
    ),
    "another.kind": Words("You are", "요구하시는 분"),
    "another.item": Words("How we know the person", "본인을 찾을 항목"),
    "another.address": Words("The person's address or number", "본인의 주소 또는 번호"),
    "another.contact": Words("Your name and how we reach you", "요구하시는 분의 성명과 연락처"),
    "another.contact-hint": Words("Used for this request only.", "이 요구를 처리하는 데만 씁니다."),
    "another.papers": Words("Power of attorney and proofs", "위임장과 증빙"),
    "another.sent": Words(
        "It has come in. If we know the person, we check your papers and write to you.",
        "접수되었습니다. 등록된 분이라면 서류를 확인한 뒤 연락드리겠습니다.",
    ),
    "another.contact-missing": Words(
        "Tell us who the person is and how we reach you.", "본인의 연락처와 요구하시는 분의 연락처를 적어 주십시오."
    ),
    "another.mandate-missing": Words("Add the paper that shows your mandate.", "위임을 보이는 서류를 첨부해 주십시오."),
    "another.elsewhere": Words(
        "This is not taken on a page. The privacy policy names the channels.",
        "이 화면으로는 접수하지 않습니다. 처리방침에 적힌 방법을 이용해 주십시오.",
    ),
    "error.request-refused": Words("This could not be taken in", "접수할 수 없는 요구입니다"),
    "help.request-refused": Words(
        "The policy does not let it be asked like that. Nothing was changed.",
        "처리방침에 따라 이 방식으로는 요구할 수 없습니다. 변경된 내용은 없습니다.",
    ),
}
