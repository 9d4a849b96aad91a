"""What customers write, and which hard rule it is. Written down before the rules were, and not changed to fit them."""

from __future__ import annotations

from functions.agent.routing import Hard, Intent

HARD: dict[Hard | None, tuple[str, ...]] = {
    "opt_out": (
        # English
        "stop", "STOP", "Stop.", "stop!!", "please stop", "Stop please", "stop it", "STOP ALL", "unsubscribe",
        "Unsubscribe me please", "remove me", "Remove me from your list", "take me off your list",
        "please take me off this list", "opt out", "opt-out", "I want to opt out", "stop messaging me",
        "Stop texting me!", "stop sending me messages", "please stop sending messages", "don't message me again",
        "Don't text me anymore", "do not contact me", "no more messages please", "leave me alone",
        # Hebrew
        "הסר", "הסר.", "הסירו", "הסירו אותי", "הסר אותי בבקשה", "להסיר", "הסרה", "תסירו אותי", "תסיר אותי מהרשימה",
        "הסירו אותי מרשימת התפוצה", "נא להסיר אותי", "אבקש להסיר אותי מהרשימה", "אל תשלחו לי", "אל תשלחו לי יותר",
        "אל תשלחו לי הודעות", "אל תשלח לי יותר הודעות בבקשה", "תפסיקו לשלוח לי הודעות", "תפסיק לשלוח לי",
        "להפסיק לשלוח לי הודעות", "תפסיקו", "הפסק", "לא רוצה לקבל הודעות", "אני לא רוצה לקבל מכם הודעות יותר",
        "עזבו אותי", "תעזבו אותי בשקט",
    ),
    "opt_in": (
        "start", "START", "Start!", "unstop", "subscribe", "opt in", "opt-in please", "sign me up again",
        "הצטרף", "הצטרפות", "להצטרף", "הצטרפתי", "אני רוצה להצטרף", "התחל", "תחזירו אותי לרשימה",
    ),
    "person": (
        # English
        "I want to talk to a human", "can I speak to a person?", "let me talk to someone", "talk to a real person",
        "Can I chat with a human please", "speak with a representative", "I need to speak with an agent", "agent",
        "human", "Human please!", "representative", "real person please", "I'd like to speak to the owner",
        "can I talk to the manager", "connect me to a person", "transfer me to an agent",
        "please have someone call me", "can somebody call me back?", "I want a human, not a bot",
        "is there a human I can talk to?", "customer service please", "can I get a real person",
        # Hebrew
        "אפשר לדבר עם נציג", "אפשר לדבר עם נציג?", "אני רוצה לדבר עם נציג", "נציג", "נציג בבקשה", "נציג אנושי",
        "תעבירו אותי לנציג", "אפשר נציג?", "אני רוצה לדבר עם בן אדם", "אפשר לדבר עם בן אדם אמיתי", "תנו לי בן אדם",
        "רוצה לדבר עם מישהו", "אפשר לדבר עם מישהו בבקשה?", "לדבר עם בעל העסק", "אפשר לדבר עם המנהל?",
        "אני צריכה לדבר עם נציגה", "שמישהו יחזור אליי", "אפשר שמישהו יתקשר אליי?", "תתקשרו אליי בבקשה",
        "שירות לקוחות", "מענה אנושי", "אני רוצה מענה אנושי", "תחברו אותי לנציג", "יש שם מישהו אמיתי שאפשר לדבר איתו?",
    ),
    None: (
        # English
        "can I stop by at five?", "I'll stop by tomorrow", "is there a bus stop near you?", "when do you stop working?",
        "please don't stop the appointment", "remove me from tomorrow's 10:00 appointment", "cancel my appointment",
        "can you remove gel polish?", "how much to remove a tattoo", "when do you start?", "do you start at nine?",
        "I want to start a treatment", "can we start at ten instead", "stop by", "don't message me before nine",
        "I stopped by yesterday and you were closed", "the person who cut my hair was great",
        "book for one person", "a table for two people", "I spoke with a representative yesterday",
        "can I talk to you about prices?", "are you a human?", "are you a real person?", "do you cut human hair wigs?",
        "I don't want to talk to a person, just book me", "does the agent get a discount?", "hi", "thanks", "10:30",
        "how much is a haircut?", "non-stop flights are great", "the rain won't stop",
        "please don't call me, just text",
        # Hebrew
        "אפשר להסיר לק ג'ל?", "כמה עולה הסרת שיער?", "הסרת קעקוע", "אני רוצה הסרה בלייזר", "להסיר לי את התור של מחר",
        "אל תשלחו לי חשבונית, אני אבוא לקחת", "אל תשלחו לי לפני תשע", "מתי אתם מפסיקים לעבוד?", "תחנת אוטובוס קרובה?",
        "אפשר להתחיל בעשר?", "מתי אתם מתחילים?", "אפשר להצטרף לקורס?", "דיברתי אתמול עם נציג", "הנציג שלכם היה נחמד",
        "אתה בן אדם?", "את אמיתית או בוט?", "אני לא רוצה לדבר עם נציג, רק לקבוע תור", "תור לבן אדם אחד",
        "אפשר לדבר על המחיר?", "לבטל את התור", "תודה", "שלום", "כן", "מחר בעשר", "כמה עולה תספורת?",
        "אל תתקשרו אליי, רק הודעות", "יש לכם נציגות בחיפה?", "אני אתקשר אליכם מחר", "תפסיקו לדחות לי את התור",
    ),
}  # fmt: skip

INTENTS: dict[Intent, tuple[str, ...]] = {
    "booking": (
        "I'd like to book a haircut", "can I make an appointment for tomorrow?", "is there anything free on Tuesday?",
        "אפשר לקבוע תור?", "יש לכם תור פנוי מחר?", "אני רוצה להזמין תור לשישי",
    ),
    "change": (
        "can we move my appointment to Thursday?", "I need to reschedule", "please change my appointment to ten",
        "אפשר להזיז את התור?", "צריך לדחות את התור למחר", "אפשר להקדים את התור?",
    ),
    "cancel": (
        "cancel my appointment", "I can't make it tomorrow, please cancel", "לבטל את התור",
        "אני צריכה לבטל את התור של מחר",
    ),
    "price": ("how much is a haircut?", "what are your prices", "כמה עולה תספורת?", "מה המחיר של צבע?"),
    "info": ("when are you open?", "where are you located?", "what's the address", "מה שעות הפתיחה?",
             "איפה אתם נמצאים?", "מה הכתובת?"),
    "invoice": ("can I get an invoice?", "please send me the receipt", "אפשר חשבונית?", "לא קיבלתי קבלה"),
    "complaint": ("I want to complain", "this is terrible service", "I want a refund", "אני רוצה להתלונן", "שירות גרוע",
                  "אני דורש החזר כספי"),
    "other": ("hi", "thanks", "כן", "10:30", "שלום", "ok great", "😀", "my dog ate it"),
}  # fmt: skip
