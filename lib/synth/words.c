/* words.c -- the word lists from which lexicon.c builds its banks. A list is one string of items
 * separated by spaces. */
#include "lib/synth/internal.h"

/* Common English words, roughly by decreasing frequency: the head of Zipf's law. */
const char synth_common[] =
    "the of and to a in is for that on it with as was be this by are at from I you have or not we "
    "an they but will can his has one all their there which he more were what would when if my so "
    "your about also time out up who some her other like new its had our she people just been "
    "into them only do no than over how first get two may any these could most very me make many "
    "after work because well even then now through where way good see us use him know back such "
    "need those before year each being day through much did years should during home while made "
    "go life information here great take world same used both own want help best between right "
    "business long using does last little high place down find part service look off around "
    "different every still without system part company another always under think data including "
    "free old things set next public since found school week small family few experience local "
    "available group today end number house full real come three per again thing point state "
    "order left however power going open love team able course within case give never name why "
    "keep large area offer site must big too provide support research might though against change "
    "play important water products whether put until book development really health program lot "
    "form design season following city national country game level special call side sure start "
    "community government become members top car fact person process project based person market "
    "show run line hand per children student students study called room second easy food project "
    "news access check price online quality post money question problem law value something came "
    "early result possible several example almost type cost once head interest history social "
    "half took whole given live often least enough together light body main story war space art "
    "needs single close less true according days general later hours ever care young anything "
    "move team clear words away already learn material major view kind class management customers "
    "current making land month event building looking across simple land night term rather short "
    "field low air far having property series search working common turn yet face black white "
    "comes security natural plan industry future added control above read idea website means "
    "taken skills paper past done sound member party staff makes include known color create media "
    "training women men technology review personal office model account following science "
    "knowledge hard woman human section minutes test effect usually areas complete position "
    "period morning evidence parts treatment street president increase provides works actually "
    "global financial bring result energy action child received record return seen village island "
    "late moment door eyes thought mind voice father mother friend heart asked told looked seemed "
    "turned stood felt nothing myself himself indeed perhaps among upon toward beyond behind "
    "below along";

/* Parts of rare words: prefix, root, suffix. "-" is none. */
const char synth_prefixes[] =
    "- - - - - - - - - - re un in con pro inter trans sub over pre dis ex de per com im under out "
    "mis non multi micro";
const char synth_roots[] =
    "act arch bas cap card cent charg claim clos cord count cours cover creat crit cult cur cycl "
    "dent dict direct divid doct domin duct dur equ estim exam fact fest fict fin firm fix flect "
    "flu form found frag funct fund gen gest govern grad graph grat ground hab heal hist host hum "
    "ident imag indic industr inform integr ject journ judg junct labor lect leg liber limit "
    "liter loc log magn mand manu mark mater mechan medi memor merg meter milit min mission mit "
    "mod mort mot mov nat nav neg norm not number object oper opt ordin organ origin pact paint "
    "part path pend person phon plan plant plic point polit popul port pos prim press process "
    "product public quest radi rang reg relat rupt sat scrib sect select semin sens serv sign "
    "simil soci solv sort spect spir stabil stand station strat stream strict struct suggest sum "
    "surf tain temp tend term test tract tradit tribut turb typ un urb valu vari vent vers vest "
    "vict vid view vit voc volv walk weight wind world writ";
const char synth_suffixes[] =
    "- s ed ing er ers ion ions al ally able ment ments ive ively ity ic ical ist ists ism ate "
    "ated ates ation ations ant ance ence ent ous ously ary ory ure ful less ness ly age ize ized "
    "izing or ors ia ities ional ionally ering ered ility ator ators ants ents atic ably ately "
    "ency ings ester hood ward";

const char synth_syllables[] =
    "ba be bi bo bra ca ce co cra da de di do dra el en er fa fe fi fo ga ge gi go gra ha he hi "
    "ho is ja jo ka ke ki kor la le li lo lu ma me mi mo mar na ne ni no on or pa pe pi po ra re "
    "ri ro sa se si so sta ta te ti to tra tu va ve vi vo wa wen xa ya yo za zel";

const char synth_names[] =
    "London Paris Berlin Madrid Rome Tokyo Chicago Boston Texas California Canada India China "
    "Africa Europe America Australia Germany France Japan Mexico Brazil Russia Italy Spain "
    "England Scotland Ireland Egypt Oxford Cambridge Harvard Stanford Google Microsoft Apple "
    "Amazon Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April "
    "May June July August September October November December John James Robert Michael William "
    "David Richard Thomas Charles Mary Patricia Jennifer Linda Elizabeth Sarah Anna George Edward "
    "Henry Peter Paul Mark Smith Johnson Brown Taylor Wilson Miller Davis Clark Walker Green King "
    "Wright Baker Adams Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans "
    "Collins José Müller Zoë François Björn Łukasz Håkon Chloë Dvořák Renée";

/* Parts of identifiers. */
const char synth_code_words[] =
    "get set init parse read write open close buffer len size count index node list map key value "
    "data ctx state name path file line str ptr next prev head tail cur tmp result ret err flags "
    "mode type kind id offset start end pos width height queue stack tree root left right parent "
    "child event handler callback config option default max min total sum avg rate time date user "
    "group token session request response client server host port socket addr message body header "
    "query table row column field record schema cache lock thread task job worker pool image "
    "pixel color alpha matrix vector point line rect shape scene render draw update create delete "
    "insert remove find search sort filter copy move merge split join check test assert log debug "
    "info warn error load save encode decode hash sign verify send recv connect bind listen "
    "accept poll select";

const char synth_maths[] =
    "x y z n k t u f g h i j p q \\alpha \\beta \\gamma \\delta \\epsilon \\theta \\lambda \\mu "
    "\\sigma \\phi \\psi \\omega x_i x_{i} x_{t} y_{t} x_{n+1} a_{ij} X_n \\mathcal{F} "
    "\\mathcal{L} \\mathbb{R} \\mathbb{R}^n \\mathbb{R}^{d} \\mathbb{E} f(x) g(t) \\|x\\| "
    "\\|A\\|_2 |x-y| \\hat{\\theta} \\bar{x} \\tilde{f} \\nabla \\partial \\frac{1}{2} "
    "\\frac{1}{n} \\frac{d}{dt} \\frac{\\alpha}{\\beta} \\sqrt{n} e^{-t} x^2 n^2 2^{-k} \\log "
    "\\log{n} \\exp(-x) \\sin{\\theta} \\Gamma \\Omega \\Lambda^{k} H^1 L^2 L^p C^\\infty S_n "
    "\\phi_1 \\phi_{k} \\int_0^1 \\sum_{i=1}^n \\prod_{k} \\in \\subset \\to \\infty \\leq \\geq "
    "\\sim \\approx \\times \\otimes \\cdot + - = <";

/* Other languages: words to draw sentences from. */
const char synth_french[] =
    "de la le et les des en un une du est que pour dans par sur plus pas avec il qui au ne ce se "
    "son sont été être cette mais nous vous ont même aussi après très où année première société "
    "français qualité développement système général économie où déjà peut faire tout leur entre "
    "deux temps monde vie jour pays ville histoire groupe projet œuvre château élève forêt naïf";
const char synth_german[] =
    "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an "
    "werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum "
    "war haben nur oder aber vor zur bis mehr durch man sein wurde Jahr können müssen größer "
    "Straße schön Gesellschaft Entwicklung Möglichkeit natürlich zunächst Geschichte Unternehmen "
    "Universität";
const char synth_spanish[] =
    "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le "
    "ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy años "
    "hasta desde está mi porque qué sólo han yo hay vez puede todos así nos ni parte tiene él uno "
    "donde bien tiempo mismo ese ahora cada vida otro después español niño mañana corazón país "
    "señor";
const char synth_russian[] =
    "и в не на что с он по как это но из у за от так все же для мы вы она они был быть его то бы "
    "год время человек дело жизнь день рука раз работа слово место лицо друг глаз вопрос дом "
    "сторона страна мир случай голова ребенок сила конец вид система часть город отношение "
    "женщина деньги земля машина вода отец проблема час право нога решение дверь образ история "
    "власть закон";
const char synth_greek[] =
    "και το του η την της να με τον που για από είναι στο οι τα ένα θα τη σε δεν αυτό μια στην "
    "τους ως αλλά έχει κατά χρόνια ημέρα κόσμος ζωή άνθρωπος πόλη νερό χώρα ιστορία λόγος";
const char synth_chinese[] =
    "的 一 是 不 了 人 我 在 有 他 这 中 大 来 上 国 个 到 说 们 为 子 和 你 地 出 道 也 时 年 得 "
    "就 那 要 下 以 生 会 自 着 去 之 过 家 学 对 "
    "可 她 里 后 小 么 心 多 天 而 能 好 都 然 没 日 于 起 还 发 成 事 只 作 当 想 看 文 无 开 手 "
    "十 用 主 行 方 又 如 前 所 本 见 经 头 面 公 "
    "同 三 已 老 从 动 两 长 知 民 样 现 分 将 外 但 身 些 与 高 意 进 把 法 此 实 回 二 理 美 点 "
    "月 明 其 种 声 全 工 己 话 儿 者 向 情 部 正 "
    "名 定 女 问 力 机 给 等 几 很 业 最 间 新 什 打 便 位 因 重 被 走 社会 经济 发展 中国 我们 "
    "他们 问题 技术 历史 文化 世界 时间 工作 研究 系统 学生 "
    "政府 城市 公司";
const char synth_japanese[] =
    "の に は を た が で て と し れ さ ある いる も する から な こと として い や れる など "
    "なっ ない この ため その あっ よう また もの という あり "
    "まで られ なる へ か だ これ によって により おり 日本 東京 大学 時代 年 月 日 人 会社 研究 "
    "世界 作品 音楽 映画 文化 歴史 カメラ データ システム テスト";

const char synth_emoji[] =
    "😀 😂 👍 🎉 ❤️ 🔥 ✨ 🚀 😊 🙏 ☕ → • ™ © … £5 €20 ½ ±2";
