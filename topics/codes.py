"""The closed code lists of the field, with their Dutch labels and, where CBS has one, its number.

Source: the CBS guideline of 2015 for *Veilig Thuis* (numbers), the KNMG code annex 5 and annex F of the
*huisverbod* (indicators), as collected in the domain model, section 3. A code travels as its English
name; the label is for people. A list that must grow is a change of contract.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """One code of a closed list: ``value`` travels, ``nl`` is shown, ``cbs`` is the number CBS gave it."""

    nl: str
    cbs: str | None

    def __new__(cls, value: str, nl: str = "", cbs: str | None = None) -> Self:
        code = str.__new__(cls, value)
        code._value_ = value
        code.nl = nl
        code.cbs = cbs
        return code


class Colour(Code):
    """Urgency of a case (*kleurcode*), from least to most urgent; ``severity`` orders them."""

    GREEN = "GREEN", "groen"
    YELLOW = "YELLOW", "geel"
    ORANGE = "ORANGE", "oranje"
    RED = "RED", "rood"

    @property
    def severity(self) -> int:
        """0 (groen) to 3 (rood)."""
        return _SEVERITY[self]


_SEVERITY = {colour: place for place, colour in enumerate(Colour)}


class Answered(Code):
    """A question with three answers; what is absent is UNKNOWN, never NO."""

    YES = "YES", "ja"
    NO = "NO", "nee"
    UNKNOWN = "UNKNOWN", "onbekend"


class ReportKind(Code):
    """What a message on a report topic is."""

    REPORT = "REPORT", "melding"
    ADVICE = "ADVICE", "advies"
    OTHER_CARE = "OTHER_CARE", "andere zorg"
    CORRECTION = "CORRECTION", "correctie"
    WITHDRAWAL = "WITHDRAWAL", "intrekking"
    ADDITION = "ADDITION", "aanvulling"


class ReporterCapacity(Code):
    """In which role somebody reports (*hoedanigheid*), list 3.1."""

    POLICE = "POLICE", "politie", "01"
    GP = "GP", "huisarts", "02"
    YOUTH_HEALTH = "YOUTH_HEALTH", "jeugdgezondheidszorg", "03"
    PSYCHIATRIST = "PSYCHIATRIST", "psychiater", "04"
    HOSPITAL_ED = "HOSPITAL_ED", "spoedeisende hulp", "05"
    GERIATRICIAN = "GERIATRICIAN", "geriater", "06"
    PSYCHOLOGIST = "PSYCHOLOGIST", "psycholoog", "07"
    NEIGHBOURHOOD_TEAM = "NEIGHBOURHOOD_TEAM", "wijkteam", "08"
    CERTIFIED_INSTITUTION = "CERTIFIED_INSTITUTION", "gecertificeerde instelling", "09"
    YOUTH_CARE = "YOUTH_CARE", "jeugdhulp", "10"
    HOME_CARE = "HOME_CARE", "thuiszorg", "11"
    SOCIAL_WORK = "SOCIAL_WORK", "maatschappelijk werk", "12"
    SHELTER = "SHELTER", "opvang", "13"
    VEILIG_THUIS = "VEILIG_THUIS", "Veilig Thuis", "14"
    SCHOOL = "SCHOOL", "school", "15"
    SCHOOL_ATTENDANCE = "SCHOOL_ATTENDANCE", "leerplicht", "16"
    MUNICIPALITY = "MUNICIPALITY", "gemeente", "17"
    CHILD_CARE = "CHILD_CARE", "kinderopvang", "18"
    VOLUNTEER_ORG_PROFESSIONAL = "VOLUNTEER_ORG_PROFESSIONAL", "beroepskracht vrijwilligersorganisatie", "19"
    OTHER_PROFESSIONAL = "OTHER_PROFESSIONAL", "andere beroepskracht", "20"
    PERPETRATOR = "PERPETRATOR", "pleger", "30"
    ADULT_VICTIM = "ADULT_VICTIM", "meerderjarig slachtoffer", "31"
    CHILD = "CHILD", "kind", "32"
    RELATIVE = "RELATIVE", "familielid", "33"
    SOCIAL_NETWORK = "SOCIAL_NETWORK", "sociaal netwerk", "34"
    NEIGHBOUR = "NEIGHBOUR", "buur", "35"
    VOLUNTEER = "VOLUNTEER", "vrijwilliger", "36"
    OTHER = "OTHER", "anders", "40"
    UNKNOWN = "UNKNOWN", "onbekend", "41"

    @property
    def professional(self) -> bool:
        """Whether somebody in this role reports by profession (CBS numbers 01-20)."""
        return self.cbs is not None and self.cbs <= "20"


class Channel(Code):
    """By which way a report was handed in."""

    CORV = "CORV", "CORV"
    API = "API", "koppeling"
    WEB_PROFESSIONAL = "WEB_PROFESSIONAL", "webformulier professionals"
    WEB_CITIZEN = "WEB_CITIZEN", "webformulier burgers"
    PHONE = "PHONE", "telefoon"
    CHAT = "CHAT", "chat"
    LETTER = "LETTER", "brief"
    OTHER_VT = "OTHER_VT", "andere regio van Veilig Thuis"
    OWN_MOTION = "OWN_MOTION", "ambtshalve"


class Disclosure(Code):
    """What may be said of the reporter to the family (*reporter_disclosure*)."""

    OPEN = "OPEN", "bekend bij het gezin"
    NAME_WITHHELD = "NAME_WITHHELD", "naam niet noemen"
    ANONYMITY_PROMISED = "ANONYMITY_PROMISED", "anonimiteit toegezegd"
    DOUBLE_ANONYMOUS = "DOUBLE_ANONYMOUS", "dubbel anoniem"


class Occasion(Code):
    """Why the report is made (*aanleiding*), list 3.2."""

    PARTNER = "PARTNER", "partnergeweld", "01"
    HONOUR = "HONOUR", "eergerelateerd geweld", "02"
    ELDER_OR_DERAILED_CARE = "ELDER_OR_DERAILED_CARE", "ouderenmishandeling of ontspoorde zorg", "03"
    PARENT_ABUSE = "PARENT_ABUSE", "oudermishandeling", "04"
    FORCED_MARRIAGE_ABANDONMENT = "FORCED_MARRIAGE_ABANDONMENT", "huwelijksdwang of achterlating", "05"
    CHILD_CHECK = "CHILD_CHECK", "kindcheck", "06"
    CHILD_DIVORCE_CONFLICT = "CHILD_DIVORCE_CONFLICT", "conflictscheiding met kinderen", "07"
    CHILD_OTHER = "CHILD_OTHER", "kindermishandeling overig", "08"
    DOMESTIC_OTHER = "DOMESTIC_OTHER", "huiselijk geweld overig", "09"


class ViolenceKind(Code):
    """What was done (*aard*), list 3.3."""

    PHYSICAL = "PHYSICAL", "lichamelijk geweld", "01"
    PHYSICAL_NEGLECT = "PHYSICAL_NEGLECT", "lichamelijke verwaarlozing", "02"
    PSYCHOLOGICAL = "PSYCHOLOGICAL", "psychisch geweld", "03"
    AFFECTIVE_NEGLECT = "AFFECTIVE_NEGLECT", "affectieve verwaarlozing", "04"
    PEDAGOGICAL_NEGLECT = "PEDAGOGICAL_NEGLECT", "pedagogische verwaarlozing", "05"
    SEXUAL = "SEXUAL", "seksueel geweld", "06"
    FINANCIAL = "FINANCIAL", "financiële uitbuiting", "07"
    WITNESS = "WITNESS", "getuige van geweld", "08"
    FALSIFICATION = "FALSIFICATION", "ziekte nagebootst", "09"
    FGM = "FGM", "vrouwelijke genitale verminking", "10"
    OTHER = "OTHER", "anders", "11"


class Duration(Code):
    """How long it goes on."""

    ONCE = "ONCE", "eenmalig"
    WEEKS = "WEEKS", "weken"
    MONTHS = "MONTHS", "maanden"
    YEARS = "YEARS", "jaren"
    UNKNOWN = "UNKNOWN", "onbekend"


class Precision(Code):
    """How exactly a moment is known."""

    MINUTE = "MINUTE", "minuut"
    HOUR = "HOUR", "uur"
    DAY = "DAY", "dag"
    MONTH = "MONTH", "maand"
    YEAR = "YEAR", "jaar"


class ExtraFlag(Code):
    """Circumstances that a receiver must know of at once."""

    HUMAN_TRAFFICKING = "HUMAN_TRAFFICKING", "mensenhandel"
    HONOUR = "HONOUR", "eer"
    WEAPON_LICENCE = "WEAPON_LICENCE", "wapenvergunning"
    DISABILITY = "DISABILITY", "beperking"
    NO_STATUS = "NO_STATUS", "zonder verblijfsstatus"


class ShelterSafetyCode(Code):
    """How safe a shelter finds somebody by its own code. It is no colour of a case and becomes none."""

    SHELTER_GREEN = "SHELTER_GREEN", "groen volgens de opvang"
    SHELTER_ORANGE = "SHELTER_ORANGE", "oranje volgens de opvang"
    SHELTER_RED = "SHELTER_RED", "rood volgens de opvang"


class ParticipantRole(Code):
    """What a *directbetrokkene* is in the household's matter."""

    CHILD = "CHILD", "kind"
    VICTIM = "VICTIM", "slachtoffer"
    ALLEGED_PERPETRATOR = "ALLEGED_PERPETRATOR", "vermoedelijke pleger"
    PARENT = "PARENT", "ouder of verzorger"
    HOUSEHOLD_MEMBER = "HOUSEHOLD_MEMBER", "huisgenoot"
    MOTHER_OF_UNBORN = "MOTHER_OF_UNBORN", "moeder van ongeboren kind"


class Sex(Code):
    """As registered."""

    FEMALE = "FEMALE", "vrouw"
    MALE = "MALE", "man"
    OTHER = "OTHER", "anders"
    UNKNOWN = "UNKNOWN", "onbekend"


class Measure(Code):
    """A child protection measure that is known to the reporter."""

    OTS = "OTS", "ondertoezichtstelling"
    VOTS = "VOTS", "voorlopige ondertoezichtstelling"
    GUARDIANSHIP = "GUARDIANSHIP", "voogdij"


class Cooperation(Code):
    """How the family stands towards help."""

    ACCEPTS = "ACCEPTS", "aanvaardt hulp"
    REFUSES = "REFUSES", "weigert hulp"
    DENIES = "DENIES", "ontkent"
    NOT_ASKED = "NOT_ASKED", "niet gevraagd"
    UNKNOWN = "UNKNOWN", "onbekend"


class SafetyJudgement(Code):
    """A professional's answer to the second question of the *meldcode*: is there unsafety?"""

    ACUTE = "ACUTE", "acute onveiligheid"
    STRUCTURAL = "STRUCTURAL", "structurele onveiligheid"
    NO = "NO", "nee"
    UNKNOWN = "UNKNOWN", "onbekend"


class OrderState(Code):
    """How a restraining order or contact ban stands."""

    NONE = "NONE", "geen"
    IN_FORCE = "IN_FORCE", "van kracht"
    BROKEN = "BROKEN", "overtreden"


class Indicator(Code):
    """List 3.4: A acute, S structural, M multi-problem. Every one is asked; what is absent is UNKNOWN."""

    A1 = "A1", "levensgevaar, of letsel dat behandeling vraagt, of poging daartoe"
    A2 = "A2", "(poging tot) verwurging"
    A3 = "A3", "wapen gebruikt, of ermee gedreigd binnen bereik"
    A4 = "A4", "seksueel geweld met reële kans op herhaling"
    A5 = "A5", "kind of afhankelijke zonder basiszorg, of verzorger suïcidaal, psychotisch of onder invloed"
    A6 = "A6", "dreiging met doden, ontvoering, of ophanden zijnde dwang, besnijdenis of eerwraak"
    A7 = "A7", "huis ontvlucht om geweld"
    A8 = "A8", "geweld of middelengebruik dat moeder of ongeboren kind acuut bedreigt"
    A9 = "A9", "onverklaard letsel bij een kind jonger dan één jaar"
    A10 = "A10", "nagebootste ziekte met acuut gevaar"
    A11 = "A11", "slachtoffer onthult en moet terug het gevaar in"
    S1 = "S1", "herhaald geweld of eerdere politiemeldingen"
    S2 = "S2", "patroon van dwingende controle"
    S3 = "S3", "langdurige verwaarlozing"
    S4 = "S4", "langdurige verslaving of psychiatrie van verzorger, hulp werkt niet"
    S5 = "S5", "frequentie of ernst neemt toe"
    S6 = "S6", "kinderen getuige van herhaald geweld"
    S7 = "S7", "druk rond eer, huwelijk of besnijdenis, niet ophanden"
    S8 = "S8", "herhaalde uitbuiting van oudere of afhankelijke"
    S9 = "S9", "belaging door (ex-)partner"
    S10 = "S10", "ongegronde ontkenning bij sterke signalen"
    S11 = "S11", "slachtoffer vreest nieuw geweld"
    M1 = "M1", "eerste lichamelijke incident zonder behandeling"
    M2 = "M2", "kind aanwezig bij één incident"
    M3 = "M3", "scheidingsconflict rond kinderen"
    M4 = "M4", "schulden, verslaving of psychiatrie met kinderen, hulp aanvaard"
    M5 = "M5", "overbelaste mantelzorger"
    M6 = "M6", "eenmalig geweld van jongere tegen ouders"
    M7 = "M7", "zorgelijke toestand van kind, oorzaak onbekend"
    M8 = "M8", "zwangerschap met meerdere risicofactoren"

    @property
    def family(self) -> str:
        """``A``, ``S`` or ``M``."""
        return self.value[0]


class Destination(Code):
    """Who gets a case, list 3.6: urgency is the colour, this is the addressee."""

    VT_CRISIS = "VT_CRISIS", "crisisdienst van Veilig Thuis"
    VT_ASSESSMENT = "VT_ASSESSMENT", "veiligheidsbeoordeling bij Veilig Thuis"
    VT_INVESTIGATION = "VT_INVESTIGATION", "onderzoek bij Veilig Thuis"
    VT_CONDITIONS = "VT_CONDITIONS", "Voorwaarden en Vervolg bij Veilig Thuis"
    VT_HOLD = "VT_HOLD", "aangehouden bij Veilig Thuis"
    TEAM = "TEAM", "wijkteam"
    TEAM_DV = "TEAM_DV", "wijkteam, specialist huiselijk geweld, Veilig Thuis ondersteunt"
    LOCAL_GENERAL = "LOCAL_GENERAL", "lokale hulp, geen huiselijk geweld of kindermishandeling"
    GI = "GI", "gecertificeerde instelling"
    BOARD = "BOARD", "Raad voor de Kinderbescherming"
    POLICE = "POLICE", "politie"
    SHELTER = "SHELTER", "opvang"
    YOUTH_CARE = "YOUTH_CARE", "jeugdhulp"
    ADULT_MENTAL_HEALTH = "ADULT_MENTAL_HEALTH", "volwassenen-ggz"
    ADDICTION_CARE = "ADDICTION_CARE", "verslavingszorg"
    HOME_CARE = "HOME_CARE", "thuiszorg"
    OTHER_VT = "OTHER_VT", "andere regio van Veilig Thuis"
    NONE = "NONE", "geen"


class HandoverState(Code):
    """Where a handover stands, list 3.7. The executor changes at ACCEPTED, the owner at STARTED."""

    OFFERED = "OFFERED", "aangeboden"
    RECEIVED = "RECEIVED", "ontvangen"
    ACKNOWLEDGED = "ACKNOWLEDGED", "gezien"
    ACCEPTED = "ACCEPTED", "aanvaard"
    STARTED = "STARTED", "gestart"
    COMPLETED = "COMPLETED", "afgerond"
    REFUSED = "REFUSED", "geweigerd"
    EXPIRED = "EXPIRED", "verlopen"
    RECALLED = "RECALLED", "teruggenomen"
    RETURNED = "RETURNED", "teruggegeven"
    SUPERSEDED = "SUPERSEDED", "vervangen"


class RefusalReason(Code):
    """Why a receiver refuses or returns a case, list 3.7."""

    TOO_SEVERE = "TOO_SEVERE", "te zwaar"
    NOT_OUR_AREA = "NOT_OUR_AREA", "niet ons gebied"
    ALREADY_ELSEWHERE = "ALREADY_ELSEWHERE", "al elders in hulp"
    CONFLICT_OF_INTEREST = "CONFLICT_OF_INTEREST", "belangenverstrengeling"
    FAMILY_REFUSES = "FAMILY_REFUSES", "gezin weigert"
    UNREACHABLE = "UNREACHABLE", "onbereikbaar"
    INSUFFICIENT_INFO = "INSUFFICIENT_INFO", "te weinig informatie"
    CAPACITY = "CAPACITY", "geen capaciteit"


class LinkKind(Code):
    """Why two reports are held to be about one household, list 3.8."""

    SAME_PERSON = "SAME_PERSON", "zelfde persoon"
    SAME_ADDRESS = "SAME_ADDRESS", "zelfde adres"
    SAME_PARENT = "SAME_PARENT", "zelfde ouder"
    SAME_MOTHER_UNBORN = "SAME_MOTHER_UNBORN", "zelfde moeder van ongeboren kind"
    SAME_PERPETRATOR = "SAME_PERPETRATOR", "zelfde pleger"
    SAME_INCIDENT = "SAME_INCIDENT", "zelfde incident"


class Certainty(Code):
    """How sure a link is, list 3.8; a POSSIBLE one waits for a person."""

    CERTAIN = "CERTAIN", "zeker"
    PROBABLE = "PROBABLE", "waarschijnlijk"
    POSSIBLE = "POSSIBLE", "mogelijk"


class SafetyRating(Code):
    """What an assessment found, list 3.5 (CBS reads ACUTE only)."""

    ACUTE = "ACUTE", "acuut onveilig"
    STRUCTURAL = "STRUCTURAL", "structureel onveilig"
    MULTI_PROBLEM = "MULTI_PROBLEM", "multiproblematisch"
    NONE = "NONE", "niet onveilig"
    UNKNOWN = "UNKNOWN", "onbekend"


class TriageOutcome(Code):
    """What follows after the assessment, list 3.5."""

    STEPS_AT_VT = "STEPS_AT_VT", "vervolg bij Veilig Thuis"
    HANDOVER = "HANDOVER", "overdracht"
    NO_STEPS = "NO_STEPS", "geen vervolg nodig"
    REGIONAL_CUSTOM = "REGIONAL_CUSTOM", "volgens afspraak in de regio"


class HoldDecision(Code):
    """What a jurist decides on a double-anonymous report (T12)."""

    TAKE_UP = "TAKE_UP", "in behandeling nemen"
    END = "END", "beëindigen"


class InvestigationOutcome(Code):
    """How an investigation ended, list 3.5. Only REFUTED reports do not count as repetition (N1)."""

    CONFIRMED = "CONFIRMED", "bevestigd"
    NOT_CONFIRMED = "NOT_CONFIRMED", "niet bevestigd"
    REFUTED = "REFUTED", "weerlegd"
    CLOSED_MOVED = "CLOSED_MOVED", "gesloten: verhuisd"
    CLOSED_DECEASED = "CLOSED_DECEASED", "gesloten: overleden"


class Standing(Code):
    """What holds for a household for some time, whoever reports (*kader*)."""

    OTS = "OTS", "ondertoezichtstelling"
    VOTS = "VOTS", "voorlopige ondertoezichtstelling"
    GUARDIANSHIP = "GUARDIANSHIP", "voogdij"
    RESTRAINING_ORDER = "RESTRAINING_ORDER", "huisverbod"
    CONTACT_BAN = "CONTACT_BAN", "contactverbod"
    BOARD_INVESTIGATION = "BOARD_INVESTIGATION", "onderzoek door de Raad"
    MONITORING = "MONITORING", "monitoren"


class StandingState(Code):
    """How it stands."""

    IN_FORCE = "IN_FORCE", "van kracht"
    BROKEN = "BROKEN", "overtreden"
    ENDED = "ENDED", "beëindigd"


class BoardNotice(Code):
    """What the *Raad* lets know about a request for investigation."""

    RECEIVED = "RECEIVED", "verzoek ontvangen"
    INVESTIGATES = "INVESTIGATES", "onderzoek gestart"
    DECLINED = "DECLINED", "geen onderzoek"
    TO_COURT = "TO_COURT", "naar de kinderrechter"
    MAYOR_DEMANDS = "MAYOR_DEMANDS", "de burgemeester verlangt een oordeel van de kinderrechter"
    ENDED = "ENDED", "onderzoek afgerond"


class NoticeState(Code):
    """Where a prepared notice stands."""

    PREPARED = "PREPARED", "klaar om vrij te geven"
    RELEASED = "RELEASED", "vrijgegeven"
    PHONED = "PHONED", "gebeld"
    REPEATED = "REPEATED", "niet afgeleverd, opnieuw verzonden"


class Relation(Code):
    """What a person decided about two cases."""

    CONFIRMED = "CONFIRMED", "zelfde huishouden"
    UNLINKED = "UNLINKED", "niet hetzelfde huishouden"
    MERGED = "MERGED", "samengevoegd"


class CaseRole(Code):
    """Who does what on a case, also after it was scaled up."""

    CASE_DIRECTION = "CASE_DIRECTION", "casusregie"
    PROCESS_DIRECTION = "PROCESS_DIRECTION", "procesregie"
    EXECUTOR = "EXECUTOR", "uitvoerder"
    INVOLVED = "INVOLVED", "betrokken"


class EarlierInvolvement(Code):
    """Whether the household was known, the CBS classes."""

    FIRST = "FIRST", "eerste melding"
    REPEAT_SEVERAL_KNOWN = "REPEAT_SEVERAL_KNOWN", "hermelding, meerdere betrokkenen bekend"
    REPEAT_ONE_KNOWN = "REPEAT_ONE_KNOWN", "hermelding, één betrokkene bekend"
    DURING_ASSESSMENT = "DURING_ASSESSMENT", "tijdens veiligheidsbeoordeling"
    AFTER_ASSESSMENT = "AFTER_ASSESSMENT", "na veiligheidsbeoordeling"
    DURING_MONITORING = "DURING_MONITORING", "tijdens monitoren"
    UNCLASSIFIED = "UNCLASSIFIED", "niet ingedeeld"


class ActKind(Code):
    """What a person does with a case, list 3.9, and ERASE (destruction of a household's data, scenario 75)."""

    SEEN = "SEEN", "gezien"
    ASSESS = "ASSESS", "veiligheid beoordeeld"
    SETTLE = "SETTLE", "voorlopige kleur vastgesteld"
    DECIDE_HOLD = "DECIDE_HOLD", "aanhouding beslist"
    RAISE = "RAISE", "kleur verhoogd"
    LOWER = "LOWER", "kleur verlaagd"
    CONFIRM_LINK = "CONFIRM_LINK", "koppeling bevestigd"
    UNLINK = "UNLINK", "koppeling verbroken"
    MERGE = "MERGE", "casussen samengevoegd"
    RELEASE = "RELEASE", "bericht vrijgegeven"
    PHONED = "PHONED", "gebeld"
    INFORMED = "INFORMED", "betrokkene geïnformeerd"
    EXTEND = "EXTEND", "termijn verlengd"
    FEEDBACK_GIVEN = "FEEDBACK_GIVEN", "terugkoppeling gegeven"
    FEEDBACK_NOT_POSSIBLE = "FEEDBACK_NOT_POSSIBLE", "terugkoppeling niet mogelijk"
    MEASURE = "MEASURE", "maatregel"
    RESTRAINING_ORDER = "RESTRAINING_ORDER", "huisverbod"
    BOARD_NOTICE = "BOARD_NOTICE", "bericht van de Raad"
    OUTCOME = "OUTCOME", "uitkomst onderzoek"
    MONITOR_START = "MONITOR_START", "monitoren gestart"
    MONITOR_CONTACT = "MONITOR_CONTACT", "contact bij monitoren"
    SUPPORT_GIVEN = "SUPPORT_GIVEN", "ondersteuning gegeven"
    ASSIGN_ROLE = "ASSIGN_ROLE", "rol toegewezen"
    ASSESSMENT_PART = "ASSESSMENT_PART", "deel van de beoordeling"
    HOLD_RECEIVER = "HOLD_RECEIVER", "ontvanger buiten dienst"
    RESUME_RECEIVER = "RESUME_RECEIVER", "ontvanger weer in dienst"
    MOVE_TIMER = "MOVE_TIMER", "termijn verplaatst"
    REEVALUATE = "REEVALUATE", "opnieuw beoordeeld"
    WITHDRAW = "WITHDRAW", "aanbod ingetrokken"
    ACTIVATE_POLICY = "ACTIVATE_POLICY", "beleid in werking gesteld"
    CONSULT = "CONSULT", "om meedenken gevraagd"
    CLOSE = "CLOSE", "gesloten"
    REOPEN = "REOPEN", "heropend"
    ERASE = "ERASE", "gegevens vernietigd"


class SourceKind(Code):
    """What kind of organisation publishes on a report topic; the label of a metric."""

    POLICE = "POLICE", "politie"
    SCHOOL = "SCHOOL", "school"
    GP = "GP", "huisarts"
    HOSPITAL = "HOSPITAL", "ziekenhuis"
    YOUTH_HEALTH = "YOUTH_HEALTH", "jeugdgezondheidszorg"
    MUNICIPALITY = "MUNICIPALITY", "gemeente"
    CITIZEN = "CITIZEN", "burger"
    OTHER = "OTHER", "anders"


class NoticeKind(Code):
    """Why somebody is told something outside a handover."""

    RED = "RED", "rode casus"
    ACUTE_UNREADABLE = "ACUTE_UNREADABLE", "onleesbaar bericht met acuut signaal"
    ACUTE_WITHOUT_CASE = "ACUTE_WITHOUT_CASE", "acuut signaal in advies, andere zorg of aangehouden melding"
    REMINDER = "REMINDER", "herinnering"
    SPECIALIST = "SPECIALIST", "specialist en contactpersoon ingelicht"
    COORDINATOR = "COORDINATOR", "coördinator en gemeente ingelicht"
    DUTY_OFFICER = "DUTY_OFFICER", "bereikbare dienst ingelicht"
    MANAGER = "MANAGER", "manager ingelicht"
    DIRECTOR = "DIRECTOR", "directeur ingelicht"
    RECALL_DUE = "RECALL_DUE", "nog steeds geen antwoord"
    REFUSED = "REFUSED", "geweigerd"
    CAPACITY = "CAPACITY", "ontvanger heeft geen capaciteit"
    TOO_LATE = "TOO_LATE", "te laat, of niet meer mogelijk"
    NEW_REPORT = "NEW_REPORT", "nieuwe melding in deze casus"
    CHANGED = "CHANGED", "veranderd door een medewerker van Veilig Thuis"
    RAISED = "RAISED", "kleur verhoogd"
    BOARD = "BOARD", "bericht van de Raad"
    PREPARED = "PREPARED", "berichten klaar om vrij te geven"
    NO_RECEIVER = "NO_RECEIVER", "geen regel wees een ontvanger aan"
    SIDE_NOTICE = "SIDE_NOTICE", "ter kennisneming, vrijgegeven door Veilig Thuis"
    CONSULT = "CONSULT", "wil meedenken, zonder overdracht"
    CONSULTED = "CONSULTED", "antwoord op een vraag om mee te denken"
    NOT_DELIVERED = "NOT_DELIVERED", "bericht komt niet aan: kies een andere veilige weg"
    HOPS = "HOPS", "casus gaat van hand tot hand"
    PHONED_OVER = "PHONED_OVER", "per telefoon overgedragen: bevestig in het eigen systeem"
    RECEIVER_HELD = "RECEIVER_HELD", "ontvanger buiten dienst"
    RECEIVER_RESUMED = "RECEIVER_RESUMED", "ontvanger weer in dienst"
    POLICY_ACTIVATED = "POLICY_ACTIVATED", "ander beleid in werking"


class TransferMove(Code):
    """What two centres tell each other about a case that goes from one to the other."""

    OFFERED = "OFFERED", "aangeboden"
    ANSWERED = "ANSWERED", "beantwoord"
    ENDED = "ENDED", "afgerond: overgenomen, of niet meer aangeboden"
    TOLD = "TOLD", "ter kennisneming"


class DeadLetterReason(Code):
    """Why a message could not be taken in; the label of a metric and the ``type`` of the problem."""

    NOT_JSON = "not_json", "geen leesbare JSON"
    NOT_UTF8 = "not_utf8", "geen UTF-8"
    EMPTY = "empty", "leeg bericht"
    TOO_LARGE = "too_large", "te groot"
    TOO_DEEP = "too_deep", "te diep genest"
    HOSTILE_JSON = "hostile_json", "JSON met dubbele sleutels, NaN of een te groot getal"
    ENVELOPE = "envelope", "envelop (CloudEvents) klopt niet"
    CONTRACT = "contract", "bericht voldoet niet aan het contract"
    SOURCE_MISMATCH = "source_mismatch", "afzender past niet bij het topic"
    BSN_EXPOSED = "bsn_exposed", "burgerservicenummer in sleutel of header"
    UNKNOWN_MUNICIPALITY = "unknown_municipality", "onbekende gemeente"
    ID_REUSE = "id_reuse", "zelfde identificatie, andere inhoud"
    UNKNOWN_CASE = "unknown_case", "onbekende casus"
    NOT_THE_RECEIVER = "not_the_receiver", "antwoord van een ander dan de ontvanger"
    ACT_REFUSED = "act_refused", "handeling niet toegestaan"
    UNDECIDABLE = "undecidable", "kon niet worden beslist"


class ReceiptOutcome(Code):
    """What became of a published report, for its sender."""

    REGISTERED = "REGISTERED", "geregistreerd"
    REPEAT = "REPEAT", "herhaling, al geregistreerd"
    REFUSED = "REFUSED", "geweigerd"
